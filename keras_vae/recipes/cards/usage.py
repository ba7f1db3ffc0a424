"""A few lines of Python that show what a preset can do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_vae.recipes.recipe import Recipe


def usage(recipe: Recipe, preset: str | None = None) -> str:
    """Returns a few lines of Python that use a preset on its own test data.

    Args:
        recipe: `Recipe`.
        preset: String, a folder to load it from instead of the recipe's name.
    """
    return "\n".join([loading(recipe, preset), *recipe.kind.uses(recipe)])


def loading(recipe: Recipe, preset: str | None = None) -> str:
    """Returns the first of these lines, which load a preset and its test data, without looking up
    classes or importing Keras.

    Args:
        recipe: `Recipe`.
        preset: String, a folder to load it from instead of the recipe's name.
    """
    family = recipe.family.rpartition(">")[-1]
    return "\n".join(
        [
            "import keras_vae",
            "",
            f"model = keras_vae.from_preset({json.dumps(preset or recipe.name)})  # {family}",
            *recipe.kind.loading(recipe),
        ]
    )
