"""Tables for models of rows, loaded from files in fixed parts, with a schema of their columns."""

import dataclasses
import os
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_vae.checks import check_choice
from keras_vae.datasets.csv_tables import is_table
from keras_vae.datasets.csv_tables import read_table
from keras_vae.datasets.local import find
from keras_vae.datasets.npz import read_arrays
from keras_vae.datasets.splits import Arrays
from keras_vae.datasets.splits import Splits
from keras_vae.datasets.splits import fixed_split
from keras_vae.table_schema import TableSchema


@dataclasses.dataclass(frozen=True, eq=False)
class TableSplits(Splits):
    """Rows of a table in parts, encoded by their schema.

    Args:
        name, train, test, validation, description: See `Splits`; `x` is float32 (N, C), NaN where a
            value is missing, and `y` of the test part marks which rows are outliers, if that is
            known.
        schema: `TableSchema`.
    """

    schema: TableSchema | None = None


def load_table(
    name: str | os.PathLike,
    *,
    kinds: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
    outliers: str | None = None,
    data_dir: str | os.PathLike | None = None,
) -> TableSplits:
    """Loads the rows of a table, in fixed parts, as numbers for a model.

    The parts are those of `splits.fixed_split`, with a tenth for testing. The classes of a column
    are those of the whole table; means and scales are those of the training part.

    Args:
        name: Path of a .csv or .tsv file whose first line holds names, or of an .npz file with a
            matrix (N, C) `x`, `X` or `counts`.
        kinds: Dict from columns to their kinds, to override `TableSchema.infer`; the name "*"
            stands for all other columns.
        without: Names of columns that are left out.
        outliers: Name of a column, or of an array of the .npz, that is 1 or true for outliers.
            These are put into the test part, and the column is not part of the rows.
        data_dir: Folder in which a relative path is also looked up; see `load`.

    Returns:
        `TableSplits`.

    Raises:
        ValueError: If the file is not a table or has too few rows, or if a named column is missing
            or has fewer than two distinct values.
        FileNotFoundError: If a path does not exist. The message lists the places searched.

    Example:

    ```python
    data = load_table("customers.csv", kinds={"postcode": "categorical"}, without=["id"])
    model = VAE(TableEncoder(data.schema, 8), TableDecoder(data.schema, 8), ...)
    ```
    """
    path = find(name, data_dir)
    kinds = dict(kinds or {})
    columns = read_table(path).values(kinds) if is_table(path) else _matrix(path, outliers)
    for column in [*without, *([] if outliers is None else [outliers])]:
        check_choice("column", column, list(columns))
    marks = None if outliers is None else np.array(columns[outliers]).astype(float) > 0
    for column in {*without, *([] if outliers is None else [outliers])}:
        del columns[column]
    everywhere = kinds.pop("*", None)
    if everywhere is not None:
        kinds = dict.fromkeys(columns, everywhere) | kinds
    schema, parts = _encoded(columns, kinds, marks)
    description = f"Rows of {path.name}, {len(schema)} columns; a tenth is held out."
    return TableSplits(str(name), **parts, description=description, schema=schema)


def _encoded(columns, kinds, marks):
    """Returns the schema of columns, and their rows in parts."""
    num_rows = len(next(iter(columns.values()), ()))
    usual = np.arange(num_rows) if marks is None else np.flatnonzero(~marks)
    train, test = (usual[part] for part in fixed_split(len(usual)))
    whole = TableSchema.infer(columns, kinds)
    fitted = []
    for column in whole.columns:
        if not column.categories:
            values = [columns[column.name][i] for i in train]
            fitted += TableSchema.infer({column.name: values}, {column.name: column.kind}).columns
        else:
            fitted.append(column)
    schema = TableSchema(fitted)
    x = schema.encode(columns)
    y = None
    if marks is not None:
        test = np.concatenate([test, np.flatnonzero(marks)])
        y = marks[test].astype("int32")
    return schema, {"train": Arrays(x[train]), "test": Arrays(x[test], y)}


def _matrix(path: Path, outliers: str | None) -> dict[str, Any]:
    """Returns the columns of a matrix in an .npz file, and the marks of its outliers."""
    arrays = read_arrays(path, "x=...")
    names = [name for name in ("x", "X", "counts") if name in arrays]
    if not names or arrays[names[0]].ndim != 2:
        raise ValueError(
            f"{path} must hold a matrix (N, C) named `x`, `X` or `counts`. Received: "
            f"{', '.join(arrays)}."
        )
    x = arrays[names[0]]
    called = [str(i) for i in range(x.shape[1])]
    if "genes" in arrays:
        called = [str(name) for name in arrays["genes"]]
    twice = sorted({name for name in called if called.count(name) > 1})
    if twice or len(called) != x.shape[1]:
        raise ValueError(
            f"{path} must name each of its {x.shape[1]} columns once, in `genes`. Received: "
            f"{len(called)} names, of which more than once: {', '.join(twice[:5]) or 'none'}."
        )
    columns = dict(zip(called, x.T.tolist(), strict=True))
    if outliers is not None:
        check_choice("outliers", outliers, list(arrays))
        columns[outliers] = arrays[outliers].ravel().tolist()
    return columns
