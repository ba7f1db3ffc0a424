"""Conversion between columns and data frames of any library, through narwhals."""

from collections.abc import Mapping
from collections.abc import Sequence
from numbers import Number
from typing import Any

import numpy as np

from keras_vae.arrays import is_frame

_MISSING_TYPES = ("NAType", "NaTType")


def columns_of(table: Any, names: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """Returns the columns of a table, each an object array (N,), by name (a string).

    Args:
        table: Data frame of pandas, polars or pyarrow, dict of columns, or array (N, C).
        names: Names of the columns of an array; by default "0", "1", and so on.

    Raises:
        ValueError: If it is not a table, or its columns have different lengths.
        ImportError: If `narwhals` is not installed, for a data frame.
    """
    if isinstance(table, Mapping):
        columns = {str(k): _objects(list(v)) for k, v in table.items()}
    elif is_frame(table):
        frame = _narwhals().from_native(table, eager_only=True)
        columns = {str(n): _objects(frame.get_column(n).to_list()) for n in frame.columns}
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
        raise ValueError(
            f"The columns of a table must all have the same length. Received: {lengths}."
        )
    return columns


def frame_like(columns: dict[str, list], like: Any, keep_index: bool = False) -> Any:
    """Returns columns as a data frame of the same library as `like`, or a dict for a dict.

    Args:
        columns: Dict of lists, one for each column. Columns of `like` keep their labels.
        like: Data frame.
        keep_index: Whether these are the rows of `like` and keep its index, if it has one.

    Raises:
        ImportError: If `narwhals` is not installed, for a data frame.
    """
    if not is_frame(like):
        return columns
    narwhals = _narwhals()
    template = narwhals.from_native(like, eager_only=True)
    labels = {str(label): label for label in template.columns}  # pandas' may be numbers
    named = {labels.get(name, name): values for name, values in columns.items()}
    frame = narwhals.from_dict(named, backend=template.implementation).to_native()
    if keep_index and hasattr(like, "index"):
        frame.index = like.index
    return frame


def is_numeric(frame: Any) -> bool:
    """Whether every column of a data frame has a numeric type; booleans do not count.

    Raises:
        ImportError: If `narwhals` is not installed.
    """
    schema = _narwhals().from_native(frame, eager_only=True).schema
    return all(dtype.is_numeric() for dtype in schema.values())


def is_missing(values: np.ndarray) -> np.ndarray:
    """Returns where an object array is missing a value: `None`, NaN or a library's own marker."""
    return np.array([_is_missing(v) for v in values], "bool")


def plain(value: Any) -> Any:
    """Returns a value as a Python number, boolean or string; decimal numbers become floats.

    Raises:
        TypeError: If it is something else, such as a date.
    """
    # NumPy converts dates to numbers that depend on their unit.
    is_time = isinstance(value, np.datetime64 | np.timedelta64)
    value = value.item() if isinstance(value, np.generic) and not is_time else value
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Number) and not isinstance(value, complex) and not is_time:
        return float(value)  # type: ignore[arg-type]
    raise TypeError(f"{value!r} is not a number, text or boolean.")


def _is_missing(value):
    if value is None or type(value).__name__ in _MISSING_TYPES:
        return True
    # NaN of any type, including decimal numbers, differs from itself.
    return isinstance(value, Number | np.generic) and bool(value != value)


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
            '"keras-vae[tables]". A dict of columns needs no further package.'
        ) from error
    return narwhals
