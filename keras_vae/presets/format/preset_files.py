"""A preset on disk: `config.json` and `model.safetensors`, written and read as a unit."""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import NamedTuple

import numpy as np
from safetensors.numpy import save as dump_safetensors

from keras_vae.atomic_files import put_in_place
from keras_vae.atomic_files import written_beside
from keras_vae.presets.format import regular_files
from keras_vae.presets.format import strict_json
from keras_vae.presets.format.tensor_table import TensorEntry
from keras_vae.presets.format.tensor_table import read_table
from keras_vae.presets.format.tree_hash import tree_sha256

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
FORMAT = 3
_AGAIN = "Fetch both files again, or save the model again."


class Preset(NamedTuple):
    """The content of a preset.

    Attributes:
        folder: `pathlib.Path`, where it was read from.
        model_config: Dict, the serialized model, without weights.
        table: Dict, stable name -> `TensorEntry` with `shape` and `dtype`.
        digest: String, the `tree_sha256` of the file of weights.
        num_bytes: Int, its size.
    """

    folder: Path
    model_config: dict[str, Any]
    table: dict[str, TensorEntry]
    digest: str
    num_bytes: int

    def read_tensors(self) -> dict[str, np.ndarray]:
        """Returns `{name: NumPy array}`, after verifying the digest of the whole file.

        Tensors stored in half precision are widened to float32.

        Raises:
            ValueError: If the file is not the one that was written.
        """
        path, data = _weights_path(self.folder, self.digest), np.empty(self.num_bytes, "uint8")
        with _opened(path) as (file, _):
            file.readinto(data)
        if tree_sha256(data) != self.digest:
            raise ValueError(
                f"{path} is not the file that {CONFIG} was written with (its sha256 differs): it "
                f"is damaged, or belongs to another preset. {_AGAIN}"
            )
        data = data[self.num_bytes - sum(v.num_bytes for v in self.table.values()) :]
        tensors = {k: v.of(data) for k, v in self.table.items()}
        return {k: a.astype("float32") if a.itemsize < 4 else a for k, a in tensors.items()}


def write_preset(
    folder: str | os.PathLike, model_config: dict[str, Any], tensors: Mapping[str, Any]
) -> None:
    """Writes a preset into `folder`, which is created if it does not exist.

    Both files are written to temporary names and flushed to disk; then the old weights are set
    aside, the new weights are put in place, and finally the config. The current config names its
    weights by their digest, in place or set aside, so that at every moment the folder holds a whole
    preset, the old one or the new one. The next write removes files left by a killed process.

    Args:
        folder: Path.
        model_config: Dict that can be written as JSON.
        tensors: Dict, name -> NumPy array.

    Raises:
        ValueError: If the config cannot be written as JSON.
        OSError: If the disk is full or the folder is not writable. The old preset stays valid.
    """
    folder = Path(folder)
    weights = dump_safetensors({k: np.asarray(v, order="C") for k, v in tensors.items()})
    config = config_bytes(model_config, weights)
    folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder, but=_old_weights(folder))
    with (
        written_beside(folder / WEIGHTS, weights) as new_weights,
        written_beside(folder / CONFIG, config) as new_config,
    ):
        aside = _old_weights(folder)
        if aside and not aside.exists() and (folder / WEIGHTS).exists():
            put_in_place(folder / WEIGHTS, aside)
        put_in_place(new_weights, folder / WEIGHTS)
        put_in_place(new_config, folder / CONFIG)  # from here on the new preset is valid
    _remove_leftovers(folder)


def read_preset(folder: str | os.PathLike) -> Preset:
    """Returns the `Preset` in `folder`, without reading any tensor; see `read_tensors`.

    Raises:
        ValueError: If a file is missing, unreadable, or not the one that was written.
    """
    folder = Path(folder)
    config = _read_config(folder / CONFIG)
    expected = config["weights"]
    path = _weights_path(folder, expected["tree_sha256"])
    with _opened(path) as (file, num_bytes):
        if num_bytes != expected["size"]:
            raise ValueError(
                f"{path} has {num_bytes:,} bytes, but {CONFIG} was written with a file of "
                f"{expected['size']:,}: it is truncated, or belongs to another preset. {_AGAIN}"
            )
        try:
            table = read_table(file, num_bytes)
        except ValueError as error:
            raise ValueError(f"{path} is not a safetensors file of weights: {error}.") from error
    return Preset(folder, config["model"], table, expected["tree_sha256"], num_bytes)


def config_bytes(model_config: dict[str, Any], weights: bytes) -> bytes:
    """Returns the content of `config.json` for a model's config and the bytes of its weights.

    Raises:
        ValueError: If the config cannot be written as JSON, for example because it contains NaN, or
            is too large.
    """
    described = {"file": WEIGHTS, "size": len(weights), "tree_sha256": tree_sha256(weights)}
    try:
        data = _signed(described, model_config)
        strict_json.parse(data)  # never write a config that could not be read
    except (TypeError, ValueError) as error:
        raise ValueError(f"This model's config cannot be written as JSON: {error}.") from error
    return data


def _signed(weights, model_config):
    """Returns the canonical bytes of a config, which begin with the sha256 of the rest."""
    content = {"format": FORMAT, "weights": weights, "model": model_config}
    content = {"sha256": hashlib.sha256(_rendered(content)).hexdigest(), **content}
    return _rendered(content)


def _rendered(content):
    return (json.dumps(content, indent=2, allow_nan=False) + "\n").encode()


def _read_config(path):
    with _opened(path) as (file, _):
        data = file.read(strict_json.MAX_BYTES + 1)
    try:
        config = strict_json.parse(data)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}. It is damaged. {_AGAIN}") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ValueError(
            f"{path} is not a preset of format {FORMAT}. It was written by another program, or by "
            "another version of keras_vae: update it, or save the model again."
        )
    weights, model_config = config.get("weights"), config.get("model")
    if not _is_weights(weights) or not isinstance(model_config, dict):
        raise ValueError(f"{path} lacks `model` or `weights`: it is damaged. {_AGAIN}")
    if _signed(weights, model_config) != data:
        raise ValueError(
            f"{path} is not as it was written (its sha256 differs): it is damaged or was edited. "
            f"{_AGAIN}"
        )
    return config


def _is_weights(weights):
    return (
        isinstance(weights, dict)
        and weights.get("file") == WEIGHTS
        and type(weights.get("size")) is int
        and isinstance(weights.get("tree_sha256"), str)
        # It becomes part of a file name.
        and re.fullmatch("[0-9a-f]{64}", weights["tree_sha256"]) is not None
    )


def _weights_path(folder, digest):
    aside = _aside(folder, digest)
    return aside if aside.exists() else folder / WEIGHTS


def _aside(folder, digest):
    """Returns where weights are kept until the config that names them is replaced."""
    return folder / f".{WEIGHTS}.{digest[:16]}"


def _old_weights(folder):
    """Returns where the weights in `folder` would be set aside; `None` without a preset."""
    try:
        return _aside(folder, _read_config(folder / CONFIG)["weights"]["tree_sha256"])
    except ValueError:
        return None


def _remove_leftovers(folder, but=None):
    for name in (WEIGHTS, CONFIG):
        for path in folder.glob(f".{name}.*"):
            if path != but:
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def _opened(path):
    """Opens a regular file, never a pipe or device, which might not end; yields it and its size."""
    try:
        with regular_files.opened(path) as (file, size):
            yield file, size
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
