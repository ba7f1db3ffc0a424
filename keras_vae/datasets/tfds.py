"""Data sets of tensorflow-datasets, read by a process of its own."""

import difflib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from keras_vae.datasets.embedded import EMBEDDED
from keras_vae.datasets.tfds_reader import PARTS
from keras_vae.datasets.tfds_reader import RawParts

_READER = Path(__file__).with_name("tfds_reader.py")

# The reader needs no accelerator, and must not take one from its caller.
_CPU_ONLY = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "HIP_VISIBLE_DEVICES": "-1",
    "NO_GCE_CHECK": "true",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}


def read_tfds(
    name: str, image_size: tuple[int, int] | None = None, data_dir: str | os.PathLike | None = None
) -> RawParts:
    """The parts of a data set as `{part: (x, y)}`, raw; y None where it has no labels.

    Downloads and prepares it first where that was not done. Progress goes to the standard error.

    Raises:
        ImportError: if tensorflow-datasets or tensorflow is not installed.
        ValueError: if the name is unknown, with the names closest to it.
        RuntimeError: if the data cannot be downloaded or read, with the reason.
    """
    _check_installed(name)
    with tempfile.TemporaryDirectory(prefix="keras_vae_") as folder:
        request = {
            "name": name,
            "folder": folder,
            "image_size": image_size,
            "data_dir": None if data_dir is None else str(data_dir),
        }
        # -P: the modules beside the reader must not stand in for installed ones.
        command = [sys.executable, "-P", str(_READER), json.dumps(request)]
        finished = subprocess.run(command, env=os.environ | _CPU_ONLY, check=False)
        if finished.returncode:
            raise _failure(name, finished.returncode, Path(folder, "error.json"))
        return {
            part: (np.load(path), _load_if_there(Path(folder, f"y_{part}.npy")))
            for part in PARTS
            if (path := Path(folder, f"x_{part}.npy")).exists()
        }


def _load_if_there(path):
    return np.load(path) if path.exists() else None


def _check_installed(name):
    for package in ("tensorflow_datasets", "tensorflow"):
        if importlib.util.find_spec(package) is None:
            raise ImportError(
                f"{name!r} is not a data set that comes with keras_vae ({', '.join(EMBEDDED)}); "
                f"other names are those of tensorflow-datasets, but {package} is not installed: "
                f'pip install "keras-vae[datasets]".{_hints(name, EMBEDDED)}'
            )


def _failure(name, returncode, path):
    """The error that tells why the reader gave no arrays."""
    if not path.exists():
        return RuntimeError(
            f"The process that read {name!r} from tensorflow-datasets died with exit status "
            f"{returncode} (-9 is a process killed for want of memory); see its output above."
        )
    answer = json.loads(path.read_text())
    if answer["unknown"]:
        return ValueError(
            f"{name!r} is neither a data set that comes with keras_vae ({', '.join(EMBEDDED)}) nor "
            f"one of tensorflow-datasets.{_hints(name, [*EMBEDDED, *answer['names']])}"
        )
    return RuntimeError(
        f"tensorflow-datasets could not give {name!r}. Its own words:\n{answer['text'].strip()}"
    )


def _hints(name, known):
    """What may have been meant by a name that is not known."""
    close = difflib.get_close_matches(name, known)
    return (f" Did you mean {' or '.join(map(repr, close))}?" if close else "") + (
        f" There is a folder of that name: write './{name}'." if Path(name).is_dir() else ""
    )
