"""The test data of a preset: those of its recipe, or others instead."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from keras_vae.cli import preset_texts
from keras_vae.recipes.recipe import Recipe


def check_name(data: str | None, data_dir: str | None) -> None:
    """Raises an error if `--data` is unknown, before a model is downloaded or loaded."""
    if data is not None:
        from keras_vae import datasets

        datasets.check_name(data, data_dir)


def recipe_of(folder: Path, data: str | None, seed: int | None) -> Recipe | None:
    """Returns the recipe that determines the data, with its data or seed replaced if given.

    Args:
        folder: Folder of the preset.
        data: Name or path of data, or `None` for the recipe's.
        seed: Seed of binarized test data, or `None` for the recipe's.

    Raises:
        ValueError: If there is neither a recipe nor `data`.
    """
    recipe = preset_texts.read_recipe(folder)
    if recipe is None:
        if data is None:
            raise ValueError(
                f"{folder} has no recipe.toml that names its data: give --data, a name or a path."
            )
        return None
    changes: dict[str, Any] = {}
    if data is not None:
        changes["data"] = recipe.data | {"name": data}
    if seed is not None:
        changes["evaluation"] = recipe.evaluation | {"seed": seed}
    return dataclasses.replace(recipe, **changes)


def pairs_of(
    recipe: Recipe | None, num_examples: int | None, data: str | None, data_dir: str | None
) -> tuple[np.ndarray, ...]:
    """Returns test examples, with their conditions or targets if the recipe has them.

    Args:
        recipe: As returned by `recipe_of`.
        num_examples: The number of examples, or `None` for all.
        data: Name or path of the data if there is no recipe.
        data_dir: Folder of data files, or `None`.
    """
    from keras_vae import datasets
    from keras_vae import recipes

    if recipe is None:
        assert data is not None  # checked by `recipe_of`
        return (datasets.load(data, data_dir=data_dir).test.x[:num_examples],)
    return recipes.pairs(recipe, recipes.load_data(recipe, data_dir).test[:num_examples])


def labels_of(
    recipe: Recipe | None, num_examples: int | None, data: str | None, data_dir: str | None
) -> np.ndarray | None:
    """Returns the labels (N,) of the test examples that `pairs_of` returns, or `None`."""
    from keras_vae import datasets
    from keras_vae import recipes

    if recipe is None:
        assert data is not None  # checked by `recipe_of`
        return datasets.load(data, data_dir=data_dir).test[:num_examples].y
    return recipes.load_data(recipe, data_dir).test[:num_examples].y
