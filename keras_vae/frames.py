"""Columns of data frames of any library, through narwhals, and frames of columns."""

import math
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_vae.arrays import is_frame

_MISSING_TYPES = ("NAType", "NaTType")


def columns_of(table: Any, names: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """Returns the columns of a table, each an object array (N,).

    Args:
        table: Data frame of pandas, polars or pyarrow, dict of columns, or array (N, C).
        names: Names of the columns of an array; by default "0", "1", and so on.

    Raises:
        ValueError: If it is no table, or its columns have different lengths.
        ImportError: If `narwhals` is not installed, for a data frame.
    """
    if isinstance(table, Mapping):
        columns = {str(k): _objects(list(v)) for k, v in table.items()}
    elif is_frame(table):
        frame = _narwhals().from_native(table, eager_only=True)
        columns = {name: _objects(frame[name].to_list()) for name in frame.columns}
    else:
        array = np.asarray(table)
        if array.ndim != 2:
            raise ValueError(
                "A table must be a data frame, a dict of columns or an array (N, C). Received: "
                f"{type(table).__name__}, shape {array.shape}."
            )
        names = list(map(str, range(array.shape[1]))) if names is None else names
        if len(names) != array.shape[1]:
            raise ValueError(
                f"The table must have {len(names)} columns, {list(names)}. Received: an array with "
                f"{array.shape[1]}."
            )
        columns = {name: _objects(array[:, i].tolist()) for i, name in enumerate(names)}
    if len({len(v) for v in columns.values()}) > 1:
        lengths = {k: len(v) for k, v in columns.items()}
        raise ValueError(f"The columns of a table must have one length. Received: {lengths}.")
    return columns


def frame_like(columns: dict[str, list], like: Any) -> Any:
    """Returns columns as a data frame of the library that `like` is of; a dict for a dict.

    Raises:
        ImportError: If `narwhals` is not installed, for a data frame.
    """
    if not is_frame(like):
        return columns
    narwhals = _narwhals()
    namespace = narwhals.from_native(like, eager_only=True).implementation
    return narwhals.from_dict(columns, backend=namespace).to_native()


def is_missing(values: np.ndarray) -> np.ndarray:
    """Returns where an object array holds nothing: `None`, NaN, or a library's own sign of it."""
    return np.array([_is_missing(v) for v in values], "bool")


def plain(value: Any) -> Any:
    """Returns a value as a Python number, boolean or text."""
    return value.item() if isinstance(value, np.generic) else value


def _is_missing(value):
    if value is None or type(value).__name__ in _MISSING_TYPES:
        return True
    return isinstance(value, float | np.floating) and math.isnan(value)


def _objects(values):
    array = np.empty(len(values), "object")
    array[:] = values
    return array


def _narwhals():
    try:
        import narwhals
    except ImportError as error:
        raise ImportError(
            "Data frames are read through narwhals, which is not installed: pip install "
            '"keras-vae[tables]". A dict of columns needs nothing.'
        ) from error
    return narwhals
