"""The columns of a table, and their conversion to numbers and back."""

import dataclasses
import math
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_vae import frames
from keras_vae.checks import check_choice
from keras_vae.configured import Configured

KINDS = ("real", "positive", "count", "categorical", "ordinal", "boolean")
OF_CLASSES = ("categorical", "ordinal", "boolean")
_MAX_ORDINAL = 20  # a column with at most so many distinct whole numbers is ordinal
_MAX_COUNT = 1000  # columns with larger whole numbers are amounts, not counts
# Arguments of a `Column` that mean something else, or nothing, for other kinds.
_OWN_ARGUMENTS = {
    "real": ("location", "scale"),
    "positive": ("scale",),
    "count": ("location", "scale"),
} | dict.fromkeys(OF_CLASSES, ("categories",))


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        name: String.
        kind: "real"; "positive", a real number above 0; "count", a non-negative integer;
            "categorical"; "ordinal", classes with an order; or "boolean", two classes.
        categories: Tuple of strings, numbers or booleans: the classes, in order. Only for kinds
            with classes.
        location, scale: Floats. A real number x is stored as (x - location) / scale, and a positive
            one as x / scale. For counts they are the logarithm of the mean, and the standard
            deviation of log(1 + x).
        is_whole: Whether numbers of this column are whole, so that draws of them are rounded.
        least, most: Floats, the range to which draws of numbers and imputed values are clipped, or
            `None`. New data may lie outside.

    Raises:
        ValueError: If `kind` is unknown, the classes are too few, too many or not distinct, `scale`
            is not positive, or `least` exceeds `most`.
    """

    name: str
    kind: str
    categories: tuple = ()
    location: float = 0.0
    scale: float = 1.0
    is_whole: bool = False
    least: float | None = None
    most: float | None = None

    def __post_init__(self) -> None:
        check_choice(f"kind of {self.name!r}", self.kind, KINDS)
        object.__setattr__(self, "categories", tuple(self.categories))
        self._check_categories()
        if not self.scale > 0 or not math.isfinite(self.scale):
            raise ValueError(
                f"`scale` of the column {self.name!r} must be a positive number. Received: "
                f"{self.scale!r}."
            )
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(
                f"`least` of the column {self.name!r} must not exceed `most`. Received: "
                f"{self.least!r} and {self.most!r}."
            )

    def _check_categories(self):
        count = len(self.categories)
        if self.kind not in OF_CLASSES:
            if count:
                raise ValueError(
                    f"The {self.kind} column {self.name!r} holds numbers, and takes no "
                    f"`categories`. Received: {self.categories!r}. Leave them out, or let "
                    "`kind` be one of " + ", ".join(map(repr, OF_CLASSES)) + "."
                )
            return
        wanted = "exactly" if self.kind == "boolean" else "at least"
        is_wrong = count != 2 if self.kind == "boolean" else count < 2
        if is_wrong or len(set(self.categories)) < count:
            raise ValueError(
                f"The {self.kind} column {self.name!r} needs {wanted} two different `categories`. "
                f"Received: {self.categories!r}."
            )

    @property
    def num_classes(self) -> int:
        """The number of classes; 0 for numbers."""
        return len(self.categories)

    @property
    def num_parameters(self) -> int:
        """The number of decoder outputs for the distribution of this column."""
        return {"categorical": self.num_classes, "ordinal": 1, "boolean": 1}.get(self.kind, 2)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Returns the numbers that represent values, float64 (N,), NaN where one is missing.

        Args:
            values: Object array (N,), `None` or NaN where a value is missing.

        Raises:
            ValueError: If a value is invalid for this column; the message names its row.
        """
        numbers, bad = self._read(values)
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(
                f"Row {row + 1}, column {self.name!r}, holds a value that does not belong there. "
                f"Expected: {self.expected} ({self.kind}). Received: {values[row]!r}. Repair or "
                "remove the row, or give the column another kind: `TableSchema.infer(table, "
                "kinds={name: kind})`."
            )
        return self._stored(numbers)

    def clipped(self, numbers: np.ndarray) -> np.ndarray:
        """Returns stored numbers (N,), clipped to `least` and `most`."""
        if self.kind in OF_CLASSES or (self.least is None and self.most is None):
            return numbers
        ends = (None if end is None else self._stored(end) for end in (self.least, self.most))
        return np.clip(numbers, *ends)

    def _stored(self, numbers):
        if self.kind == "real":
            return (numbers - self.location) / self.scale
        return numbers / self.scale if self.kind == "positive" else numbers

    def misfits(self, values: np.ndarray) -> np.ndarray:
        """Returns the rows, counted from 0, whose values are invalid for this column.

        Args:
            values: Object array (N,), as for `encode`.
        """
        return np.flatnonzero(self._read(values)[1])

    @property
    def expected(self) -> str:
        """A description of the values of this column."""
        if self.kind in OF_CLASSES:
            return f"one of {', '.join(map(repr, self.categories))}"
        return {
            "positive": "a number above 0",
            "count": "a whole number from 0 on",
        }.get(self.kind, "a finite number")

    def _read(self, values):
        """Returns values as numbers, with NaN where one is missing or invalid, and where they are
        invalid."""
        missing = frames.is_missing(values)
        index = {category: i for i, category in enumerate(self.categories)}
        numbers = np.full(len(values), math.nan)
        for row in np.flatnonzero(~missing):
            try:
                value = frames.plain(values[row])
                numbers[row] = index[value] if index else float(value)
            except (KeyError, TypeError, ValueError, OverflowError):
                continue
        bad = ~missing & ~np.isfinite(numbers)
        if self.kind == "positive":
            bad |= numbers <= 0
        elif self.kind == "count":
            bad |= ~missing & ((numbers < 0) | (numbers != np.floor(numbers)))
        return np.where(bad, math.nan, numbers), bad

    def decode(self, numbers: np.ndarray) -> list:
        """Returns a list of the values that numbers (N,) represent, with `None` for NaN."""
        missing = np.isnan(numbers)
        if self.kind in OF_CLASSES:
            index = np.clip(np.nan_to_num(np.round(numbers)), 0, self.num_classes - 1).astype(int)
            return [None if m else self.categories[i] for m, i in zip(missing, index, strict=True)]
        numbers = np.asarray(numbers, "float64")
        if self.kind == "real":
            numbers = numbers * self.scale + self.location
        elif self.kind == "positive":
            numbers = numbers * self.scale
        if self.is_whole or self.kind == "count":
            return [None if m else round(n) for m, n in zip(missing, numbers, strict=True)]
        return [None if m else float(n) for m, n in zip(missing, numbers, strict=True)]


class TableSchema(Configured):
    """Describes the columns of a table, and converts tables to numbers (N, C) for a model and back.

    A missing value becomes NaN, which the likelihood and the networks for a schema treat as not
    observed. Real columns are standardised, and positive ones are divided by their geometric mean;
    counts are unchanged, and classes are numbered.

    Args:
        columns: List of `Column`.

    Raises:
        ValueError: If there is no column, or if two have the same name.

    Example:

    ```python
    schema = TableSchema.infer(frame)  # pandas, polars, pyarrow, or a dict of columns
    schema = schema.with_kind("grade", "ordinal", categories=("low", "middle", "high"))
    x = schema.encode(frame)  # (N, C), float32
    model = VAE(TableEncoder(schema, 8), TableDecoder(schema, 8), ColumnsLikelihood(schema))
    model.fit(x)
    rows = schema.decode(model.sample(100, from_likelihood=True), like=frame)
    ```
    """

    def __init__(self, columns: Sequence[Column | dict]) -> None:
        self.columns = tuple(c if isinstance(c, Column) else Column(**c) for c in columns)
        names = self.names
        twice = sorted({n for n in names if names.count(n) > 1})
        if not names or twice:
            raise ValueError(
                "`columns` must hold at least one `Column`, each with a distinct name. Received: "
                f"{f'duplicate names {twice}' if twice else 'none'}."
            )

    @classmethod
    def infer(cls, table: Any, kinds: Mapping[str, str] | None = None) -> "TableSchema":
        """Returns a schema with kinds inferred from the values of each column.

        Booleans are boolean, and texts are categorical. Whole numbers with at most 20 distinct
        values are ordinal; others are counts if they lie between 0 and 1,000. Numbers above 0 whose
        maximum exceeds ten times their median are positive, and all other numbers are real. Check
        the result, and change kinds that were meant differently.

        Args:
            table: Data frame of pandas, polars or pyarrow, dict of columns, or array (N, C).
            kinds: Dict from columns to kinds that are not to be inferred.

        Raises:
            ValueError: If a column has no values, fewer than two classes, or values that are not
                numbers, texts or booleans or do not fit its kind in `kinds`, or if `kinds` names
                an unknown column.
            ImportError: If `narwhals` is not installed, for a data frame.
        """
        kinds = {str(name): kind for name, kind in (kinds or {}).items()}
        table_columns = frames.columns_of(table)
        unknown = sorted(kinds.keys() - table_columns.keys())
        if unknown:
            raise ValueError(
                f"`kinds` names columns that the table does not have: {unknown}. Received: the "
                f"columns {list(table_columns)}."
            )
        return cls([_inferred(n, v, kinds.get(n)) for n, v in table_columns.items()])

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column.name for column in self.columns]

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        return "TableSchema(" + ", ".join(f"{c.name}: {c.kind}" for c in self.columns) + ")"

    def index(self, name: str) -> int:
        """Returns the index of a column.

        Raises:
            ValueError: If there is no column of this name.
        """
        return self.names.index(check_choice("column", name, self.names))

    def with_kind(self, name: str, kind: str, **options: Any) -> "TableSchema":
        """Returns a schema in which a column has another kind.

        Classes are kept if both kinds have classes, and the range if both are numeric. Arguments
        that depend on the values of the table must be given; `TableSchema.infer(table, kinds=...)`
        computes them.

        Args:
            name: String, the column.
            kind: String; see `Column`.
            **options: Other arguments of `Column`: the `categories` of numbers that become classes,
                the `location` and `scale` of a column that becomes real or a count, the `scale` of
                one that becomes positive.

        Raises:
            ValueError: If there is no column of this name, `kind` is unknown, or a required
                argument is missing.
        """
        i = self.index(name)
        check_choice(f"kind of {name!r}", kind, KINDS)
        changed = _of_kind(self.columns[i], kind, options)
        return TableSchema([*self.columns[:i], changed, *self.columns[i + 1 :]])

    def encode(self, table: Any) -> np.ndarray:
        """Returns the rows of a table as numbers, float32 (N, C), NaN where a value is missing.

        Args:
            table: Data frame, dict of columns, or array (N, C). Further columns are ignored.

        Raises:
            ValueError: If a column is missing, or a value is invalid for its column; the message
                names the row, counted from 1, and the column.
        """
        found = frames.columns_of(table, self.names)
        absent = [name for name in self.names if name not in found]
        if absent:
            raise ValueError(
                f"The table lacks the columns {absent}. Expected: {self.names}. Received: "
                f"{list(found)}."
            )
        encoded = [column.encode(found[column.name]) for column in self.columns]
        return np.stack(encoded, axis=1).astype("float32")

    def decode(self, x: np.ndarray, like: Any = None) -> Any:
        """Returns the rows that numbers (N, C) represent.

        Args:
            x: NumPy array (N, C).
            like: Data frame, from whose library the result will be. By default the result is a dict
                of lists.
        """
        x = np.asarray(x)
        decoded = {c.name: c.decode(x[:, i]) for i, c in enumerate(self.columns)}
        return decoded if like is None else frames.frame_like(decoded, like)

    def clipped(self, x: np.ndarray) -> np.ndarray:
        """Returns stored rows (N, C), with each number clipped to the range of its column."""
        return np.stack([c.clipped(x[:, i]) for i, c in enumerate(self.columns)], axis=1)

    def get_config(self) -> dict[str, Any]:
        return {"columns": [_plain_column(c) for c in self.columns]}


def check_schema(argument: str, value: Any) -> TableSchema:
    """Returns a schema, given as a `TableSchema` or as its config.

    Raises:
        TypeError: If it is neither.
    """
    if isinstance(value, dict):
        value = TableSchema.from_config(value)
    if not isinstance(value, TableSchema):
        raise TypeError(
            f"`{argument}` must be a `TableSchema`, such as TableSchema.infer(frame). Received: "
            f"{value!r}."
        )
    return value


def schema_of(model: Any) -> TableSchema | None:
    """Returns the schema of a model's rows, or `None` if it is a model of other data.

    Args:
        model: Model of this library, whose likelihood or encoder may have been made for a schema.
    """
    found = getattr(getattr(model, "likelihood", None), "schema", None)
    if found is None and hasattr(model, "encoder"):
        try:
            found = model.encoder.get_config().get("schema")
        except NotImplementedError:  # a user's model without a config
            return None
    return None if found is None else check_schema("schema", found)


def _plain_column(column):
    return {**dataclasses.asdict(column), "categories": list(column.categories)}


def _of_kind(column, kind, options):
    """Returns a column with another kind, which keeps arguments with the same meaning."""
    if kind == column.kind:
        return dataclasses.replace(column, **options)
    kept = ("categories",) if kind in OF_CLASSES else ("is_whole", "least", "most")
    known = {argument: getattr(column, argument) for argument in kept} | options
    absent = [f"`{name}`" for name in _OWN_ARGUMENTS[kind] if known.get(name, ()) == ()]
    if absent:
        raise ValueError(
            f"The {column.kind} column {column.name!r} cannot become {kind} without the "
            f"{' and '.join(absent)} of its values, which a schema does not hold. Received: "
            f"{', '.join(options) or 'no other argument'}. Let TableSchema.infer(table, "
            f"kinds={{{column.name!r}: {kind!r}}}) find them, or give them to `with_kind`."
        )
    return Column(column.name, kind, **known)


def _inferred(name, values, kind):
    if kind is not None:
        check_choice(f"kind of {name!r}", kind, KINDS)
    present = _present(name, values)
    kind = kind or _kind_of(present)
    if kind in OF_CLASSES:
        categories = tuple(sorted(set(present), key=lambda v: (str(type(v)), v)))
        if len(categories) < 2:
            raise ValueError(
                f"The column {name!r} has one value only, {categories[0]!r}: leave it out."
            )
        return Column(name, kind, categories)
    numbers = _numbers(name, present, kind)
    is_whole = bool((numbers == np.floor(numbers)).all())
    ends = float(numbers.min()), float(numbers.max())
    if kind == "positive":
        logs = np.log(np.maximum(numbers, 1e-300))
        return Column(name, kind, (), 0.0, float(np.exp(logs.mean())), is_whole, *ends)
    if kind == "count":
        spread = float(np.log1p(np.maximum(numbers, 0)).std()) or 1.0
        location = math.log(max(float(numbers.mean()), 1e-3))
        return Column(name, kind, (), location, spread, True, *ends)
    location, spread = float(numbers.mean()), float(numbers.std()) or 1.0
    return Column(name, kind, (), location, spread, is_whole, *ends)


def _present(name, values):
    """Returns the non-missing values of a column as plain numbers, booleans and strings."""
    present = []
    for value in values[~frames.is_missing(values)]:
        try:
            present.append(frames.plain(value))
        except TypeError:
            raise ValueError(
                f"The column {name!r} holds a value that no kind of column has. Expected: numbers, "
                f"texts or booleans. Received: {value!r}, a {type(value).__name__}. Leave the "
                "column out, or turn its values into one of these: dates into days since the "
                "first, for instance."
            ) from None
    if not present:
        raise ValueError(f"The column {name!r} has no values: leave it out.")
    return present


def _numbers(name, present, kind):
    numbers = []
    for value in present:
        try:
            numbers.append(float(value))
        except (ValueError, OverflowError):
            numbers.append(math.nan)
        if not math.isfinite(numbers[-1]):
            raise ValueError(
                f"The column {name!r} cannot be {kind}. Expected: finite numbers. Received: "
                f"{value!r}. Repair these values, or treat the values as classes: "
                f"`kinds={{{name!r}: 'categorical'}}`."
            )
    return np.array(numbers)


def _kind_of(present):
    if all(isinstance(v, bool) for v in present):
        return "boolean"
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in present):
        return "categorical"
    numbers = np.array(present, "float64")
    is_whole = bool((numbers == np.floor(numbers)).all())
    if is_whole and 2 <= len(np.unique(numbers)) <= _MAX_ORDINAL:
        return "ordinal"
    if is_whole and numbers.min() >= 0 and numbers.max() <= _MAX_COUNT:
        return "count"
    is_skewed = numbers.min() > 0 and numbers.max() > 10 * np.median(numbers)
    return "positive" if is_skewed else "real"
