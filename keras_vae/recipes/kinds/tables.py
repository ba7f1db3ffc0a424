"""Recipes of tables: rows with columns of any kind, counts, and rows that include outliers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_vae.recipes.kinds.kind import Kind
from keras_vae.recipes.kinds.kind import scores
from keras_vae.recipes.named_classes import family_of

if TYPE_CHECKING:
    from keras_vae.datasets import Batches
    from keras_vae.datasets.splits import Arrays
    from keras_vae.datasets.splits import Splits
    from keras_vae.models import GenerativeModel
    from keras_vae.recipes.recipe import Recipe

SHOWN = "samples.csv"
NUM_SAMPLES = 10
_MOST_SHOWN = 12  # columns of a card's table


class Tables(Kind):
    """Rows of a table that `keras_vae.datasets.load_table` reads.

    If the recipe names a mark of outliers, a model is trained and its likelihood measured on the
    other rows; the measure "outliers" tests how well the two are separated.
    """

    keys = frozenset({"kinds", "without", "outliers"})
    likelihood = "ColumnsLikelihood"
    of_density = (
        "Columns of real and of positive numbers have a density: its nats depend on their units, "
        "may be negative, and compare with those of the same columns only."
    )

    def load(self, recipe: Recipe, data_dir: str | Path | None = None) -> Splits:
        from keras_vae import datasets

        return datasets.load_table(**_source(recipe), data_dir=data_dir)

    def batches(self, recipe: Recipe, data: Splits, seed: int) -> Batches:
        from keras_vae import datasets

        size = recipe.training.get("batch_size", 100)
        return datasets.Batches(data.train.x, batch_size=size, seed=seed)

    def pairs(self, recipe: Recipe, arrays: Arrays, num_seen: int | None = None) -> tuple:
        return (arrays.x if arrays.y is None else arrays.x[arrays.y == 0],)

    def given(self, data: Any) -> dict[str, Any]:
        return {"schema": data.schema}

    def show(self, model: GenerativeModel, recipe: Recipe, test: Any, folder: Path) -> None:
        """Writes sampled rows as a table."""
        from keras_vae.datasets.csv_tables import write_table
        from keras_vae.table_schema import schema_of

        if not model.can_sample:
            return
        generator: Any = model
        x = generator.sample(NUM_SAMPLES, seed=0, from_likelihood=True)
        schema: Any = schema_of(model)
        rows = schema.decode(schema.clipped(np.asarray(x)))
        texts = {k: [f"{v:.5g}" if isinstance(v, float) else v for v in rows[k]] for k in rows}
        write_table(folder / SHOWN, texts)

    def task(self, recipe: Recipe) -> str:
        return "tabular-classification" if "outliers" in recipe.data else "other"

    def is_local(self, recipe: Recipe) -> bool:
        return True

    def samples(self, recipe: Recipe, folder: Path) -> str:
        import csv

        from keras_vae.recipes.cards.markdown import table

        if not (folder / SHOWN).exists():
            return ""
        with (folder / SHOWN).open(encoding="utf-8", newline="") as file:
            names, *rows = csv.reader(file)
        shown = names[:_MOST_SHOWN]
        what = "Rows that it draws, z from the prior"
        if len(shown) < len(names):
            what += f", the first {len(shown)} of {len(names)} columns"
        return f"{what}:\n\n{table(shown, [row[:_MOST_SHOWN] for row in rows])}"

    def description(self, recipe: Recipe) -> str:
        if "outliers" not in recipe.data:
            return ""
        return "Outliers are put into the test part; the likelihood is that of the other rows."

    def loading(self, recipe: Recipe) -> list[str]:
        name, *options = [(k, json.dumps(v)) for k, v in _source(recipe).items()]
        given = ", ".join([name[1], *(f"{k}={v}" for k, v in options)])
        return [f"data = keras_vae.datasets.load_table({given})", "x = data.test.x[:100]"]

    def uses(self, recipe: Recipe) -> list[str]:
        family = family_of(recipe)
        lines = ["nats = model.score(x, num_samples=100)  # (100,), higher is more likely"]
        if family.encode_gives:
            lines.append("z = model.encode(x).mean")
        rows = "rows = data.schema.decode(model.sample(5, seed=0, from_likelihood=True))"
        return [*lines, rows, scores(family, "x")]


def _source(recipe):
    """Returns the arguments of `load_table`, beginning with the name."""
    options = {k: v for k, v in recipe.data.items() if k not in ("kind", "name")}
    return {"name": recipe.data["name"], **options}
