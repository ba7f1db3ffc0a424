"""The index of the zoo: size and sha256 of each preset's files. Part of the wheel, and trusted."""

import dataclasses
import json
import math
import os
import re
from pathlib import Path
from typing import Any

from keras_vae.presets.format.tensor_table import DTYPES

INDEX = "index.json"
FORMAT = 1
MAX_SIZE = 4 << 30  # bytes of a file
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclasses.dataclass(frozen=True)
class File:
    """The expected size and sha256 of a file.

    Attributes:
        size: Int, in bytes.
        sha256: String of 64 hexadecimal digits.
    """

    size: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class Entry:
    """A preset of the index.

    Attributes:
        name: String.
        revision: String, a sha256 over its files.
        files: Dict, file name -> `File`.
        tensors: Dict, tensor name -> `(dtype, shape)`, with the dtypes of safetensors.
        num_parameters: Int.
        licence: Dict, "weights" and "data" -> text.
        metrics: Dict, the `test` part of its `metrics.json`.
    """

    name: str
    revision: str
    files: dict[str, File]
    tensors: dict[str, tuple[str, tuple[int, ...]]]
    num_parameters: int
    licence: dict[str, str]
    metrics: dict[str, Any]


def read_index(path: str | os.PathLike) -> dict[str, Entry]:
    """Returns `{name: Entry}` of an `index.json`; an empty dict if there is no such file.

    Raises:
        ValueError: If the file is not an index, or holds an invalid name, size or shape.
    """
    path = Path(path)
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise ValueError(f"expected format {FORMAT}. Received: {content['format']!r}")
        return {name: _entry(name, table) for name, table in content["presets"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is not an index of presets: {type(error).__name__}, {error}"
        ) from error


def check_name(name: str) -> str:
    """Returns a preset's name.

    Raises:
        ValueError: If it is not safe as the name of a folder.
    """
    return _matching(_NAME, name, "preset name")


def _entry(name, table):
    files = {_matching(_FILE, k, "file name"): _file(v) for k, v in table["files"].items()}
    tensors = {k: _tensor(k, v) for k, v in table["tensors"].items()}
    num_bytes = sum(DTYPES[dtype].itemsize * math.prod(shape) for dtype, shape in tensors.values())
    if num_bytes > sum(file.size for file in files.values()):
        raise ValueError(f"tensors of {num_bytes} bytes exceed the files of {name}")
    return Entry(
        name=check_name(name),
        revision=_matching(_DIGEST, table["revision"], "revision"),
        files=files,
        tensors=tensors,
        num_parameters=_count(table["num_parameters"], MAX_SIZE),
        licence=dict(table["licence"]),
        metrics=dict(table["metrics"]),
    )


def _file(table):
    size = _count(table["size"], MAX_SIZE)
    return File(size, _matching(_DIGEST, table["sha256"], "sha256"))


def _tensor(name, table):
    if table["dtype"] not in DTYPES:
        raise ValueError(f"tensor {name!r} has the unknown dtype {table['dtype']!r}")
    return table["dtype"], tuple(_count(n, MAX_SIZE, least=0) for n in table["shape"])


def _count(value, most, least=1):
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"expected an integer from {least} to {most}. Received: {value!r}")
    return value


def _matching(pattern, text, meaning):
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise ValueError(f"{text!r} is not a valid {meaning}")
    return text
