"""The data of a recipe."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from keras_vae import datasets
from keras_vae.datasets import Batches
from keras_vae.datasets.splits import Arrays
from keras_vae.datasets.splits import Splits
from keras_vae.recipes.recipe import Recipe

# What `pairs` of a recipe's data may say, beside nothing: what is learned from or with what.
_PAIRS = {
    "labels": "pictures, given their labels",
    "prior_labels": "pictures, of whose codes the prior is given their labels",
    "classes": "labels, of pictures",
    "completion": "pictures, given some of their quadrants",
    "prediction": "the same, by a network that takes the quadrants and gives the picture",
}


def load_data(recipe: Recipe, data_dir: str | Path | None = None) -> Splits:
    """Returns the recipe's `Splits`, the test part as its likelihood takes it.

    Under dynamic binarisation the training pictures stay grey, for `training_batches` to draw; the
    test pictures are drawn once, so that their number can be had again.

    Args:
        recipe: `Recipe`.
        data_dir: folder with local data sets.

    Raises:
        ValueError, FileNotFoundError, ImportError: As for `keras_vae.datasets.load`.
        OSError: If a data set of tensorflow-datasets cannot be downloaded or read.
    """
    pairs = recipe.data.get("pairs")
    if pairs not in (None, *_PAIRS):
        known = "; ".join(f'"{k}" ({v})' for k, v in _PAIRS.items())
        raise ValueError(
            f"The recipe {recipe.name!r}: `pairs` of [data] must be one of {known}. Received: "
            f"{pairs!r}."
        )
    own = {"pairs", *(["binarize"] if recipe.is_dynamic else [])}
    config = {k: v for k, v in recipe.data.items() if k not in own}
    try:
        data = datasets.load(**config, data_dir=data_dir)
    except RuntimeError as error:
        raise OSError(str(error)) from error
    if not recipe.is_dynamic:
        return data
    drawn = datasets.binarize(data.test.x, seed=recipe.evaluation.get("seed", 0))
    return dataclasses.replace(data, test=datasets.Arrays(drawn, data.test.y))


def training_batches(recipe: Recipe, data: Any, seed: int) -> Batches:
    """Returns the `Batches` of the training part of `data`."""
    kind = recipe.data.get("pairs")
    has_labels = kind in ("labels", "classes")
    is_paired = kind in ("completion", "prediction")
    return datasets.Batches(
        data.train.x,
        data.train.y if has_labels else None,
        batch_size=recipe.training.get("batch_size", 100),
        seed=seed,
        binarize=recipe.is_dynamic,
        pair=_completions(kind) if is_paired else None,
    )


def pairs(recipe: Recipe, arrays: Arrays, num_seen: int | None = None) -> tuple:
    """Returns what `evaluate` takes of the `Arrays` of one part: `(x,)` or `(x, y)`.

    Args:
        num_seen: How many quadrants of a picture to complete are seen; by default one, two or
            three, drawn with the seed of `[evaluation]`.
    """
    kind = recipe.data.get("pairs")
    if kind is None:
        return (arrays.x,)
    if kind in ("labels", "prior_labels", "classes"):
        return arrays.x, arrays.y
    if num_seen is not None:
        seen = datasets.seen_quadrants(arrays.x, num_seen)
        return (arrays.x, seen) if kind == "completion" else (seen, arrays.x)
    rng = np.random.default_rng(recipe.evaluation.get("seed", 0))
    return _completions(kind)(arrays.x, rng)


def _completions(kind):
    """Returns a function that makes pairs of pictures and what is seen of them."""

    def pair(x, rng):
        seen = datasets.random_quadrants(x, rng)
        return (x, seen) if kind == "completion" else (seen, x)

    return pair
