"""The data of a recipe, of any kind."""

import dataclasses
from pathlib import Path
from typing import Any

from keras_vae.datasets import Batches
from keras_vae.datasets.splits import Arrays
from keras_vae.datasets.splits import Splits
from keras_vae.recipes.recipe import Recipe


def load_data(recipe: Recipe, data_dir: str | Path | None = None) -> Splits:
    """Returns the recipe's `Splits`, with the test part in the form that its likelihood takes.

    If `[evaluation]` has `num_examples`, the test part is limited to the first so many.

    Args:
        recipe: `Recipe`.
        data_dir: Folder with local data sets.

    Raises:
        ValueError, FileNotFoundError, ImportError: As for `keras_vae.datasets.load`.
        OSError: If a data set of tensorflow-datasets cannot be downloaded or read.
    """
    data = recipe.kind.load(recipe, data_dir)
    count = recipe.evaluation.get("num_examples")
    return data if count is None else dataclasses.replace(data, test=data.test[:count])


def training_batches(recipe: Recipe, data: Any, seed: int) -> Batches:
    """Returns the `Batches` of the training part of `data`."""
    return recipe.kind.batches(recipe, data, seed)


def pairs(recipe: Recipe, arrays: Arrays, num_seen: int | None = None) -> tuple:
    """Returns the arguments of `evaluate` for the `Arrays` of one part: `(x,)` or `(x, y)`.

    Args:
        recipe: `Recipe`.
        arrays: `Arrays`, the part.
        num_seen: Number of visible quadrants of a picture to complete; by default one, two or
            three, drawn with the seed of `[evaluation]`.
    """
    return recipe.kind.pairs(recipe, arrays, num_seen)
