"""Conversion of users' arrays, tensors and tables to NumPy arrays."""

import math
import os
from collections.abc import Iterator
from numbers import Number
from typing import Any

import numpy as np

from keras_vae.typing import Array
from keras_vae.typing import Shape

_BLOCK_BYTES = 1 << 18  # stays in a core's cache while several checks read it


def is_array(x: Array) -> bool:
    """Whether `x` is an array, tensor or column of any library, not a data set of batches."""
    return hasattr(x, "shape") and hasattr(x, "dtype") and not hasattr(x, "element_spec")


def is_array_like(x: Any) -> bool:
    """Whether `x` is an array, a table, or a list of these, not a data set of batches."""
    return is_array(x) or is_frame(x) or isinstance(x, list | tuple) or hasattr(x, "__array__")


def is_frame(x: Any) -> bool:
    """Whether `x` is a table with named columns, of pandas, polars, pyarrow or similar."""
    if hasattr(x, "get_columns") or (hasattr(x, "column_names") and hasattr(x, "columns")):
        return True
    return all(hasattr(x, name) for name in ("columns", "dtypes", "items"))


def is_symbolic(x: Any) -> bool:
    """Whether `x` is a tensor without values, which is being traced or is symbolic in Keras."""
    return any(
        kind.__name__ in ("KerasTensor", "Tracer", "SymbolicTensor", "FakeTensor")
        for kind in type(x).__mro__
    )


def to_numpy(x: Array, name: str = "x") -> Any:
    """Returns an array, tensor, table or nested lists of numbers as a NumPy array.

    Nothing is copied if NumPy can read it in place: a `np.memmap` stays on disk. Torch tensors are
    detached and moved to the CPU.

    Args:
        x: Array of any library, or `None`, which is returned.
        name: The name of `x` in errors.

    Raises:
        ValueError: If `x` cannot be one array, has masked values, or has columns that are not
            numbers.
    """
    if x is None:
        return None
    if is_frame(x):
        return _in_plain_order(_of_frame(x, name))
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        raise ValueError(
            f"`{name}` is a masked array with {int(np.ma.count_masked(x))} missing values, which "
            "would be used as if they were observed. Received: numpy.ma.MaskedArray, shape "
            f"{x.shape}. Fill them with `{name}.filled(value)`, or remove these examples."
        )
    if hasattr(x, "toarray") or getattr(x, "is_sparse", False):
        raise ValueError(
            f"`{name}` is sparse, but must be a dense array. Received: {type(x).__name__}, shape "
            f"{tuple(x.shape)}. Call `{name}.toarray()`, or `to_dense()` on a tensor."
        )
    if hasattr(x, "detach"):  # a torch tensor, whatever backend Keras runs on
        x = x.detach().cpu()
        x = x.float() if "bfloat16" in str(x.dtype) else x
    try:
        array = np.asarray(x)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise ValueError(
            f"`{name}` must be one array of numbers, with examples of one shape. Received: "
            f"{type(x).__name__}{_lengths(x)}. Cause: {error}"
        ) from error
    if array.dtype.name.startswith(("bfloat16", "float8")):  # unknown to NumPy itself
        array = array.astype("float32")
    if array.dtype.kind == "O":
        array = _numbers(array)
    return _in_plain_order(array)


def array_of(x: Array, name: str = "x") -> np.ndarray:
    """Returns what `to_numpy` does, but accepts only arrays.

    Raises:
        ValueError: If `x` is not an array, or as for `to_numpy`.
    """
    if not is_array_like(x):
        raise ValueError(
            f"`{name}` must be an array with the examples along its first axis. Received: "
            f"{type(x).__name__}."
        )
    return to_numpy(x, name)


def blocks(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Yields the rows of NumPy arrays (N, ...) in blocks that fit a core's cache."""
    first = arrays[0]
    row = max(1, first[:1].nbytes)
    size = max(1, _BLOCK_BYTES // row)
    for start in range(0, len(first), size):
        yield tuple(array[start : start + size] for array in arrays)


def check_memory(argument: str, count: int, shape: Shape) -> None:
    """Raises `ValueError` if `count` float32 arrays of a shape exceed the available memory.

    Args:
        argument: The name of the argument that determines the count.
        count: Integer.
        shape: Tuple, the shape of one example.
    """
    needed, available = 4 * count * math.prod(shape), available_memory()
    if available is None or needed <= available:
        return
    raise ValueError(
        f"`{argument}={count}` examples of shape {tuple(shape)} need {needed / 1e9:,.1f} GB, and "
        f"only {available / 1e9:,.1f} GB of memory are available. Draw them in parts, each with "
        "its own seed."
    )


def available_memory() -> int | None:
    """Returns the bytes of available memory, or `None` if the system does not report them."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            found = {line.split(":")[0]: line.split() for line in file}
        return 1024 * int(found["MemAvailable"][1])
    except (OSError, KeyError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _of_frame(frame, name):
    """Returns the columns of a table, all numbers, as an array (N, columns)."""
    columns, texts = [], []
    for label, column in _columns(frame):
        array = _numbers(np.asarray(column))
        if array.dtype.kind not in "buif":
            texts.append(f"{label!r} ({getattr(column, 'dtype', array.dtype)})")
        columns.append(array)
    if texts:
        raise ValueError(
            f"`{name}` has columns that are not numbers: {', '.join(texts)}. Expected: numbers in "
            f"every column. Received: {type(frame).__name__}, shape {tuple(frame.shape)}. Leave "
            "these columns out, or encode them as numbers."
        )
    return np.stack(columns, axis=1) if columns else np.zeros(tuple(frame.shape))


def _columns(frame):
    """Yields the name and the values of each column."""
    if hasattr(frame, "get_columns"):
        return [(column.name, column) for column in frame.get_columns()]
    if hasattr(frame, "column_names"):
        return list(zip(frame.column_names, frame.columns, strict=True))
    return list(frame.items())


def _numbers(array):
    """Returns an object array of numbers and missing values as float64; others as they are."""
    if array.dtype.kind != "O":
        return array
    numbers = []
    for value in array.ravel():
        if value is None or type(value).__name__ == "NAType":
            numbers.append(math.nan)
        elif isinstance(value, Number) and not isinstance(value, complex):
            numbers.append(float(value))  # type: ignore[arg-type]
        else:
            return array
    return np.array(numbers, "float64").reshape(array.shape)


def _in_plain_order(array):
    """Returns an array with a memory layout that every backend can read."""
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype("float64")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return np.ascontiguousarray(array) if min(array.strides, default=0) < 0 else array


def _lengths(x):
    """Returns a text with the known shapes in a list."""
    if not isinstance(x, list | tuple):
        return ""
    shapes = [
        tuple(getattr(part, "shape", ())) or f"len {len(part)}"
        for part in x[:3]
        if hasattr(part, "__len__")
    ]
    return f" of {len(x)}, the first {', '.join(map(str, shapes))}" if shapes else f" of {len(x)}"
