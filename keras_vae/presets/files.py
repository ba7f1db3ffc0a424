"""A preset on disk: `config.json` and `model.safetensors`, written and read whole or not at all."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as dump_safetensors

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
FORMAT = 1


class Preset(NamedTuple):
    """What a preset holds.

    Attributes:
        folder: `pathlib.Path` it was read from.
        model_config: dict, the serialised model, without weights.
        tensors: dict, stable name -> NumPy array.
    """

    folder: Path
    model_config: dict
    tensors: dict


def write_preset(folder, model_config, tensors):
    """Writes a preset into `folder`, which is made where it is missing.

    Each file is written beside its place, flushed to the disk and renamed. The config holds the
    sha256 of the weights, so that a crash between the two renames is seen when reading.

    Args:
        folder: path.
        model_config: dict that JSON can hold.
        tensors: dict, name -> NumPy array.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = dump_safetensors({k: np.asarray(v, order="C") for k, v in tensors.items()})
    config = {
        "format": FORMAT,
        "weights": {"file": WEIGHTS, "sha256": hashlib.sha256(weights).hexdigest()},
        "model": model_config,
    }
    write_atomically(folder / WEIGHTS, weights)
    write_atomically(folder / CONFIG, (json.dumps(config, indent=2) + "\n").encode())


def read_preset(folder):
    """Returns the `Preset` in `folder`.

    Raises:
        ValueError: a file is missing, unreadable, or not the one that was written.
    """
    folder = Path(folder)
    config = _read_config(folder)
    data = _read_bytes(folder / WEIGHTS)
    if hashlib.sha256(data).hexdigest() != config["weights"]["sha256"]:
        raise ValueError(
            f"{folder / WEIGHTS} is not the file that {CONFIG} was written with (its sha256 "
            "differs): it is damaged, or belongs to another preset. Fetch or save both again."
        )
    try:
        tensors = load_safetensors(data)
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{folder / WEIGHTS} is not a safetensors file: {error}.") from error
    return Preset(folder, config["model"], tensors)


def write_atomically(path, data):
    """Writes bytes to `path` so that it holds all of them or what it held before."""
    path = Path(path)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp's 0600 would keep a shared preset from its readers
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _read_config(folder):
    try:
        config = json.loads(_read_bytes(folder / CONFIG))
    except ValueError as error:
        raise ValueError(f"{folder / CONFIG} cannot be read: {error}") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ValueError(
            f"{folder / CONFIG} is not a preset of format {FORMAT}. It was written by another "
            "program, or by a newer keras_vae: update it."
        )
    is_whole = isinstance(config.get("model"), dict) and isinstance(config.get("weights"), dict)
    if not is_whole or "sha256" not in config["weights"]:
        raise ValueError(f"{folder / CONFIG} lacks `model` or `weights`: it is damaged.")
    return config


def _read_bytes(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
