"""Common parts of the table commands: `train --data table.csv`, `score`, `impute`, `sample`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:  # it imports Keras, which `--help` does not need
    from keras_vae.table_schema import TableSchema

ENDINGS = (".csv", ".tsv")


def is_ending(path: str) -> bool:
    """Whether a path has the extension of a table."""
    return Path(path).suffix.lower() in ENDINGS


def proposed(data: str, data_dir: str | None, choices: dict[str, Any]) -> Any:
    """Returns the recipe for a user's table, and prints the inferred kinds of its columns.

    Args:
        data: Path of the table.
        data_dir: Folder in which it is also looked up, or `None`.
        choices: Dict, the options of `keras-vae train` for the model.
    """
    from keras_vae import recipes
    from keras_vae.datasets.csv_tables import read_table
    from keras_vae.datasets.local import find
    from keras_vae.table_schema import TableSchema

    of_pictures = [k for k in ("model", "likelihood", "image_size") if choices.pop(k, None)]
    if of_pictures:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in of_pictures)
        raise ValueError(
            f"Models of tables do not take {named}. Change the recipe instead: --set "
            "likelihood.min_sigma=0.1, for instance."
        )
    path = find(data, data_dir)
    table = read_table(path)
    text, without = recipes.propose_table(table, str(path.resolve()), **choices)
    kept = {name: values for name, values in table.values().items() if name not in without}
    for column in TableSchema.infer(kept).columns:
        print(f"  {column.kind:<12}{column.name}")
    for name in without:
        print(f"  {'left out':<12}{name}")
    print("To give a column another kind: --set data.kinds.NAME=real")
    stem = re.sub(r"\W+", "_", path.stem).strip("_")
    return recipes.parse_recipe(text, f"{stem}.toml")


def model_of_table(preset: str) -> tuple[Any, "TableSchema"]:
    """Returns a preset's model of the rows of a table, and their schema.

    Raises:
        ValueError: If it is a model of other data.
    """
    from keras_vae.models import GenerativeModel
    from keras_vae.table_schema import schema_of

    model = GenerativeModel.from_preset(preset)
    schema = schema_of(model)
    if schema is None:
        raise ValueError(
            f"{preset} is a {type(model).__name__} of data (N, "
            f"{', '.join(map(str, _shape(model)))}), not a model of the rows of a table. Train "
            "one: keras-vae train --data table.csv"
        )
    return model, schema


def text_of(value: Any) -> Any:
    """Returns a value for a cell; numbers with the digits of float32."""
    return f"{value:.7g}" if isinstance(value, float) else value


def values_of(schema: "TableSchema", texts: tuple[str, ...]) -> dict[str, Any]:
    """Returns the values of `--where`, `{column: value}`.

    Args:
        schema: `TableSchema`.
        texts: Strings, each COLUMN=VALUE.

    Raises:
        ValueError: If a text is not of this form, or the column or value is unknown.
    """
    from keras_vae.datasets.csv_tables import value_of

    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in schema.names:
            raise ValueError(
                f"--where takes COLUMN=VALUE, with one of the columns {', '.join(schema.names)}. "
                f"Received: {text!r}."
            )
        column = schema.columns[schema.index(name)]
        found[name] = value_of(value, column.categories) if column.categories else value
    return found


def sample_into(
    output: str,
    model: Any,
    schema: "TableSchema",
    num: int,
    where: tuple[str, ...],
    label: int | None,
    seed: int | None,
) -> None:
    """Writes new rows of a table, for `keras-vae sample`.

    Args:
        output: Path of a .csv or .tsv file.
        model, schema: The model, and the schema of its rows.
        num: Integer, the number of rows.
        where, label, seed: Options of the command.
    """
    from keras_vae.datasets.csv_tables import check_ending
    from keras_vae.datasets.csv_tables import write_table
    from keras_vae.models.base.imputation import sample_rows

    check_ending(output, "--output")
    if label is not None:
        raise ValueError("--label is for models of pictures. For a table: --where COLUMN=VALUE.")
    rows = sample_rows(model, schema, num, values_of(schema, where), seed)
    write_table(output, {name: [text_of(v) for v in rows[name]] for name in rows})
    print(f"Wrote {output}")


def _shape(model):
    return getattr(model, "data_shape", None) or ("...",)
