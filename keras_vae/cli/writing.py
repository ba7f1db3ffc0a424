"""The files of numbers that commands write, each atomically."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from keras_vae.atomic_files import write_atomically


def write_json(path: str | Path, content: Any) -> None:
    """Writes a JSON-serialisable object, and prints that it did."""
    write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())
    print(f"Wrote {path}")


def write_arrays(path: str | Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes arrays by name to an .npz, or the last of them to an .npy, and prints that it did."""
    if Path(path).suffix == ".npz":
        content = npz_of(arrays, np.savez_compressed)
    else:
        buffer = io.BytesIO()
        np.save(buffer, list(arrays.values())[-1])
        content = buffer.getvalue()
    write_atomically(path, content)
    print(f"Wrote {path}")


def npz_of(arrays: dict[str, np.ndarray], save: Any = np.savez) -> bytes:
    """Returns the bytes of an .npz file with the arrays.

    Args:
        arrays: Dict of NumPy arrays.
        save: `np.savez`, or `np.savez_compressed`.
    """
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()
