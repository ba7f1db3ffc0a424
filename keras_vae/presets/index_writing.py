"""Writes the index of a zoo from the files of its presets."""

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

from keras_vae.atomic_files import write_atomically
from keras_vae.presets.format.index import FORMAT
from keras_vae.presets.format.index import INDEX
from keras_vae.presets.format.preset_files import CONFIG
from keras_vae.presets.format.preset_files import WEIGHTS
from keras_vae.presets.format.tensor_table import DTYPES
from keras_vae.presets.format.tensor_table import read_table

FETCHED = (CONFIG, WEIGHTS)  # a model needs only these; the rest is documentation
WEIGHTS_LICENCE = "Apache-2.0"
_METRICS, _RECIPE = "metrics.json", "recipe.toml"


def write_index(zoo: Path) -> None:
    """Writes `index.json` into a zoo's folder.

    Args:
        zoo: `pathlib.Path`, the folder.
    """
    write_atomically(zoo / INDEX, index_text(zoo).encode())


def index_text(zoo: Path) -> str:
    """Returns the text of a zoo's index, which covers all presets with weights and metrics.

    Args:
        zoo: `pathlib.Path`, the folder.
    """
    names = sorted(path.parent.name for path in zoo.glob(f"*/{_METRICS}"))
    presets = {name: _table(zoo / name) for name in names if (zoo / name / WEIGHTS).is_file()}
    text = json.dumps({"format": FORMAT, "presets": presets}, indent=1)
    return re.sub(r"\[[\d\s,]*\]", _in_one_line, text) + "\n"


def _in_one_line(shape):
    return json.dumps(json.loads(shape[0]))


def revision_of(files: dict[str, str]) -> str:
    """Returns the sha256 of the names and sha256s of files.

    Args:
        files: Dict, file name -> sha256.
    """
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def tensors_of(path: Path) -> dict[str, dict[str, Any]]:
    """Returns `{name: {"dtype": str, "shape": list}}` of a safetensors file, without its data."""
    with open(path, "rb") as file:
        table = read_table(file, path.stat().st_size)
    words = {dtype: word for word, dtype in DTYPES.items()}
    return {k: {"dtype": words[v.dtype], "shape": list(v.shape)} for k, v in sorted(table.items())}


def _table(folder):
    contents = {name: (folder / name).read_bytes() for name in FETCHED}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    metrics = json.loads((folder / _METRICS).read_bytes())
    return {
        "revision": revision_of(digests),
        "files": {k: {"size": len(v), "sha256": digests[k]} for k, v in contents.items()},
        "num_parameters": metrics["training"]["num_parameters"],
        "licence": {"weights": WEIGHTS_LICENCE, "data": _data_licence(folder, metrics)},
        "metrics": metrics["test"],
        "tensors": tensors_of(folder / WEIGHTS),
    }


def _data_licence(folder, metrics):
    """Returns the recipe's attribution of the data, otherwise the data set's description."""
    recipe = tomllib.loads((folder / _RECIPE).read_text(encoding="utf-8"))
    return recipe.get("attribution") or metrics["data"]["description"]
