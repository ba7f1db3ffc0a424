"""Data sets of tensorflow-datasets, read in a separate process."""

import difflib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from keras_vae.datasets.embedded import EMBEDDED
from keras_vae.datasets.tfds_reader import PARTS
from keras_vae.datasets.tfds_reader import RawParts

_READER = Path(__file__).with_name("tfds_reader.py")

# The reader needs no accelerator and must not occupy its caller's.
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
    """Returns the raw parts of a data set as `{part: (x, y)}`; y is None without labels.

    Downloads and prepares the data first if necessary. Progress is written to standard error.

    Raises:
        ImportError: If tensorflow-datasets or tensorflow is not installed.
        ValueError: If the name is unknown. The message suggests the closest names.
        RuntimeError: If the data cannot be downloaded or read. The message gives the reason.
    """
    check_tfds(name, data_dir)
    with tempfile.TemporaryDirectory(prefix="keras_vae_") as folder:
        request = {
            "name": name,
            "folder": folder,
            "image_size": image_size,
            "data_dir": None if data_dir is None else str(data_dir),
        }
        # -P: the modules next to the reader must not shadow installed ones.
        command = [sys.executable, "-P", str(_READER), json.dumps(request)]
        finished = subprocess.run(command, env=os.environ | _CPU_ONLY, check=False)
        if finished.returncode:
            raise _failure(name, finished.returncode, Path(folder, "error.json"))
        return {
            part: (np.load(path), _load_if_there(Path(folder, f"y_{part}.npy")))
            for part in PARTS
            if (path := Path(folder, f"x_{part}.npy")).exists()
        }


def check_tfds(name: str, data_dir: str | os.PathLike | None = None) -> None:
    """Raises an error if tensorflow-datasets has no data set of this name. It takes less than a
    second: TensorFlow is not imported, and no connection is made.

    Raises:
        ImportError: If tensorflow-datasets or tensorflow is not installed.
        ValueError: If the name is unknown. The message suggests the closest names.
    """
    _check_installed(name)
    own_name = re.split("[/:]", name)[0]
    if own_name and Path(data_dir or "~/tensorflow_datasets", own_name).expanduser().is_dir():
        return  # already prepared, and readable without its builder
    command = [sys.executable, "-P", str(_READER), json.dumps(None)]
    listed = subprocess.run(command, env=os.environ | _CPU_ONLY, capture_output=True, check=False)
    names = json.loads(listed.stdout) if listed.returncode == 0 else [own_name]
    if own_name not in names and ":" not in name:  # as in names of community data sets
        raise _unknown(name, names)


def _load_if_there(path):
    return np.load(path) if path.exists() else None


def _check_installed(name):
    for package in ("tensorflow_datasets", "tensorflow"):
        if importlib.util.find_spec(package) is None:
            raise ImportError(
                f"{name!r} is not a data set that ships with keras_vae ({', '.join(EMBEDDED)}). "
                f"Other names are those of tensorflow-datasets, but {package} is not installed: "
                f'pip install "keras-vae[datasets]".{_hints(name, EMBEDDED)}'
            )


def _failure(name, returncode, path):
    """Returns the error that says why the reader failed."""
    if not path.exists():
        return RuntimeError(
            f"The process that read {name!r} from tensorflow-datasets died with exit status "
            f"{returncode} (-9 usually means out of memory); see its output above."
        )
    answer = json.loads(path.read_text())
    if answer["unknown"]:
        return _unknown(name, answer["names"])
    return RuntimeError(
        f"tensorflow-datasets could not load {name!r}. Its error:\n{answer['text'].strip()}"
    )


def _unknown(name, names):
    return ValueError(
        f"{name!r} is neither a data set that ships with keras_vae ({', '.join(EMBEDDED)}) nor one "
        f"of tensorflow-datasets.{_hints(name, [*EMBEDDED, *names])}"
    )


def _hints(name, known):
    """Returns suggestions for an unknown name."""
    close = difflib.get_close_matches(name, known)
    return (f" Did you mean {' or '.join(map(repr, close))}?" if close else "") + (
        f" To load the local file or folder of that name, write './{name}'."
        if Path(name).exists()
        else ""
    )
