"""Tables in text files: CSV and TSV."""

import csv
import dataclasses
import io
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_vae.atomic_files import write_atomically
from keras_vae.table_schema import OF_CLASSES
from keras_vae.table_schema import TableSchema

DELIMITERS = {".csv": ",", ".tsv": "\t"}
MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")
_TRUTH = {"true": True, "false": False}
_MOST_NAMED = 5  # bad values to list; further ones are only counted


@dataclasses.dataclass(frozen=True)
class TextTable:
    """The cells of a table as texts, as read from a file.

    Args:
        path: Path of the file.
        columns: Dict of object arrays (N,): texts, `None` where a value is missing.
        lines: List of N ints, the line numbers of the file at which the rows end.
    """

    path: Path
    columns: dict[str, np.ndarray]
    lines: list[int]

    def __len__(self) -> int:
        return len(self.lines)

    def values(self, kinds: Mapping[str, str] | None = None) -> dict[str, list]:
        """Returns the columns converted to what their texts look like: integers, floats, booleans
        or strings.

        Args:
            kinds: Dict from columns to known kinds; columns of kind "categorical" remain texts.
        """
        kinds = kinds or {}
        return {
            name: texts.tolist() if kinds.get(name) == "categorical" else _typed(texts)
            for name, texts in self.columns.items()
        }

    def encoded(self, schema: TableSchema) -> np.ndarray:
        """Returns the rows encoded by a schema, float32 (N, C).

        Raises:
            ValueError: If a column is missing, or a value is invalid for its column; the message
                names lines and columns.
        """
        columns, bad = {}, []
        for column in schema.columns:
            if column.name not in self.columns:
                raise ValueError(
                    f"{self.path} lacks the column {column.name!r}. Expected: "
                    f"{', '.join(schema.names)}. Received: {', '.join(self.columns)}."
                )
            texts = self.columns[column.name]
            if column.kind in OF_CLASSES:
                texts = _as_categories(texts, column.categories)
            columns[column.name] = texts
            bad += [(self.lines[row], column, texts[row]) for row in column.misfits(texts)]
        if bad:
            bad.sort(key=lambda found: found[0])
            named = "; ".join(
                f"line {line}, column {column.name!r}: {text!r} is not {column.expected}"
                for line, column, text in bad[:_MOST_NAMED]
            )
            further = f"; and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
            raise ValueError(
                f"{self.path} holds values that do not fit their columns: {named}{further}. Repair "
                "or remove these rows."
            )
        return schema.encode(columns)


def is_table(path: Any) -> bool:
    """Whether a path has the extension of a text table."""
    return Path(path).suffix.lower() in DELIMITERS


def check_ending(path: Any, name: str) -> None:
    """Checks that a path has the extension of a text table.

    Raises:
        ValueError: If it does not; the message begins with `name`.
    """
    if not is_table(path):
        raise ValueError(f"{name} must end in {' or '.join(DELIMITERS)}. Received: {path}.")


def read_table(path: str | Path) -> TextTable:
    """Reads a table whose first line holds the names of the columns.

    Empty cells, `?`, `NA`, `NaN`, `null` and the like are missing values.

    Args:
        path: Path of a .csv or .tsv file, UTF-8.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the path does not end in .csv or .tsv, or the file is not text, has no rows,
            has duplicate column names, or has a row with too many or too few cells; the message
            names the line.
    """
    path = Path(path)
    check_ending(path, "A table")
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=DELIMITERS[path.suffix.lower()])
            names = [name.strip() for name in next(reader, [])]
            rows, lines = [], []
            for row in reader:
                if row and len(row) != len(names):
                    raise ValueError(
                        f"{path}, line {reader.line_num}: expected {len(names)} cells, as in the "
                        f"header line. Received: {len(row)}."
                    )
                if row:
                    rows.append([None if c.strip() in MISSING else c.strip() for c in row])
                    lines.append(reader.line_num)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as a table: {error}.") from error
    twice = sorted({name for name in names if names.count(name) > 1})
    if not rows or twice:
        raise ValueError(
            f"{path} must hold a header line, with each name once, and rows below it. Received: "
            f"{f'duplicate names {twice}' if twice else 'no rows'}."
        )
    cells = np.array(rows, "object")
    return TextTable(path, {name: cells[:, i] for i, name in enumerate(names)}, lines)


def write_table(path: str | Path, columns: Mapping[str, Sequence]) -> None:
    """Writes columns to a .csv or .tsv file, with an empty cell for `None`.

    Raises:
        ValueError: If the path does not end in .csv or .tsv.
    """
    path = Path(path)
    check_ending(path, "A table")
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=DELIMITERS[path.suffix.lower()], lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    write_atomically(path, text.getvalue().encode())


def value_of(text: str | None, categories: Sequence) -> Any:
    """Returns the category that a text represents, or the text itself if there is none."""
    return _as_categories([text], categories)[0]


def _as_categories(texts, categories):
    if all(isinstance(category, bool) for category in categories):
        texts = [text if text is None else text.capitalize() for text in texts]
    named = {str(category): category for category in categories}
    # Whole numbers may be written with a decimal point here, though not in the training table.
    named |= {f"{c}.0": c for c in categories if isinstance(c, int) and not isinstance(c, bool)}
    found = np.empty(len(texts), "object")
    found[:] = [named.get(text, text) for text in texts]
    return found


def _typed(texts):
    present = [text for text in texts if text is not None]
    if present and all(text.lower() in _TRUTH for text in present):
        return [None if text is None else _TRUTH[text.lower()] for text in texts]
    for kind in (int, float):
        try:
            return [None if text is None else kind(text) for text in texts]
        except ValueError:
            continue
    return texts.tolist()
