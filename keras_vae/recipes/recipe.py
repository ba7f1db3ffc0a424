"""A recipe: the text file from which a preset's weights and numbers follow."""

import dataclasses
import json
import math
import tomllib
from pathlib import Path

from keras_vae.recipes.cards import published
from keras_vae.recipes.kinds import Kind
from keras_vae.recipes.kinds import kind_of

# Table -> its keys. The tables of parts have `class` and the arguments of that class.
_TABLES = {
    "data": {"kind", "name"},  # and what its kind adds
    "training": {
        *{"epochs", "batch_size", "seed", "learning_rate", "final_learning_rate", "beta_1"},
        *{"clipnorm", "ema_momentum", "start", "frozen"},
    },
    "prior_training": {"epochs", "batch_size", "learning_rate", "final_learning_rate"},
    "evaluation": {
        *{"num_examples", "num_samples", "seed", "measures", "quadrants_num_samples"},
        "classifier",
    },
    "pictures": {"originals"},
}
_REQUIRED = {"data": {"name"}, "training": {"epochs"}, "prior_training": {"epochs"}}
# Key -> its smallest allowed integer, and keys of positive numbers, in any table.
_LEAST = {
    **dict.fromkeys(("epochs", "batch_size", "num_samples", "quadrants_num_samples"), 1),
    **dict.fromkeys(("num_examples", "max_tokens", "min_count", "max_length", "originals"), 1),
    **dict.fromkeys(("seed", "validation_size"), 0),
}
_POSITIVE = ("learning_rate", "final_learning_rate", "beta_1", "clipnorm", "ema_momentum")
_WORDS = {
    "device": ("cpu", "gpu"),
    "precision": ("float32", "mixed_bfloat16", "mixed_float16"),
    "weights_dtype": ("float32", "float16"),
}
PARTS = (
    "model",
    "encoder",
    "encoders",
    "decoder",
    "decoders",
    "network",
    "discriminator",
    "features",
    "likelihood",
    "quantizer",
    "quantizers",
    "prior",
    "priors",
    "condition",
    "codes",
)
_PUBLISHED = {*published.KEYS, "source", "protocol"}
_OPTIONAL = {
    *{"published", "limits", "attribution", "pictures", "twin", "device", "prior_training"},
    *{"callbacks", "precision", "weights_dtype"},
    *PARTS,
} - {"model"}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A parsed recipe; see `zoo/README.md` for the meaning of each table.

    Attributes:
        name: The preset's name: the folder of a `recipe.toml`, else the file's name.
        summary: One sentence for the card.
        data, training, evaluation, pictures: Dict, the TOML tables.
        prior_training: Dict, the table of the second stage of a model of codes, or empty.
        parts: Dict, the tables of `PARTS` that it has: the model and its parts.
        device: String, "cpu", or "gpu" if an hour on a CPU would not suffice.
        twin: String, a preset trained in the same way for comparison, or "".
        precision: String, "float32", or the mixed precision that the model is trained in.
        weights_dtype: String, "float32" or "float16", in which the weights are stored.
        callbacks: List of dicts, the tables of callbacks of `fit`.
        published: List of dicts, numbers of papers to compare with.
        limits: String, what the preset is not suitable for.
        attribution: String, the owner and the licence of the data.
        text: String, the content of the file.
    """

    name: str
    summary: str
    data: dict
    parts: dict
    training: dict
    evaluation: dict
    pictures: dict = dataclasses.field(default_factory=dict)
    prior_training: dict = dataclasses.field(default_factory=dict)
    callbacks: list = dataclasses.field(default_factory=list)
    published: list = dataclasses.field(default_factory=list)
    limits: str = ""
    attribution: str = ""
    twin: str = ""
    device: str = "cpu"
    precision: str = "float32"
    weights_dtype: str = "float32"
    text: str = ""

    @property
    def family(self) -> str:
        """The class of the model."""
        return self.parts["model"]["class"]

    @property
    def kind(self) -> Kind:
        """The `Kind` of its data."""
        return kind_of(self.data)

    @property
    def is_dynamic(self) -> bool:
        """Whether training draws its black-and-white pictures anew at each use."""
        return self.data.get("binarize") == "dynamic"


def read_recipe(path: str | Path) -> Recipe:
    """Returns the `Recipe` in the file `path`.

    Raises:
        ValueError: If the file is not TOML, or if a table or a key is missing or unknown.

    Example:

    ```python
    recipe = read_recipe("zoo/vae_mnist_mini/recipe.toml")
    recipe.training["epochs"]
    ```
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The recipe {path} cannot be read: {error}") from error
    return parse_recipe(text, path)


def parse_recipe(text: str, path: str | Path) -> Recipe:
    """Returns the `Recipe` in a text.

    Args:
        text: String, TOML.
        path: Path of the file that the text is from or for, which determines the name.

    Raises:
        ValueError: As for `read_recipe`.
    """
    path = Path(path)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"The recipe {path} cannot be read: {error}") from error
    known = {f.name for f in dataclasses.fields(Recipe)} - {"name", "text", "parts"} | set(PARTS)
    _check_keys(path, "", tables, known, known - _OPTIONAL)
    for table, keys in _TABLES.items():
        found = _check_is_table(path, table, tables.get(table, {}))
        keys = keys | _kind_of(path, found).keys if table == "data" else keys
        is_left_out = table in _OPTIONAL and table not in tables
        required = set() if is_left_out else _REQUIRED.get(table, set())
        _check_keys(path, f"[{table}] ", found, keys, required)
    if likelihood := kind_of(tables["data"]).likelihood:
        tables.setdefault("likelihood", {"class": likelihood})
    parts = {k: _check_part(path, k, tables.pop(k)) for k in PARTS if k in tables}
    for table in tables.get("callbacks", []):
        _check_is_table(path, "callbacks", table)
    for entry in tables.get("published", []):
        _check_keys(path, "[[published]] ", entry, _PUBLISHED, {"source"})
    for table in _TABLES:
        _check_numbers(path, table, tables.get(table, {}))
    for key, words in _WORDS.items():
        if tables.get(key, words[0]) not in words:
            *others, last = map(json.dumps, words)
            raise ValueError(
                f"The recipe {path} is not as expected: `{key}` must be {', '.join(others)} or "
                f"{last}. Received: {tables[key]!r}."
            )
    name = path.absolute().parent.name if path.name == "recipe.toml" else path.stem
    return Recipe(name=name, text=text, parts=parts, **tables)


def _check_keys(path, table, found, known, required):
    unknown, missing = set(found) - known, required - set(found)
    if unknown or missing:
        raise ValueError(
            f"The recipe {path} is not as expected: {table}"
            f"unknown keys {sorted(unknown) or 'none'}, missing keys {sorted(missing) or 'none'}. "
            f"Known keys: {', '.join(sorted(known))}."
        )


def _kind_of(path, data):
    try:
        return kind_of(data)
    except ValueError as error:
        raise ValueError(f"The recipe {path} is not as expected: {error}") from error


def _check_is_table(path, name, value):
    if not isinstance(value, dict):
        raise ValueError(
            f"The recipe {path} is not as expected: `{name}` must be a table, [{name}]. "
            f"Received: {value!r}."
        )
    return value


def _check_part(path, name, value):
    levels = value if isinstance(value, list) and name.endswith("s") and value else [value]
    for level in levels:
        _check_is_table(path, name, level)
    return value


def _check_numbers(path, table, found):
    for key, value in found.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        least = _LEAST.get(key)
        if least is not None and not (is_number and isinstance(value, int) and value >= least):
            expected = f"an integer of at least {least}"
        elif key in _POSITIVE and not (is_number and 0 < value < math.inf):
            expected = "a positive number"
        else:
            continue
        raise ValueError(
            f"The recipe {path} is not as expected: [{table}] {key} must be {expected}. Received: "
            f"{value!r}."
        )
