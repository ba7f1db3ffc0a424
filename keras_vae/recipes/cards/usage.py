"""A few lines of Python that show what a preset can do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from keras_vae.recipes.named_classes import can_sample
from keras_vae.recipes.named_classes import family_of

if TYPE_CHECKING:
    from keras_vae.recipes.recipe import Recipe

_SEEN = "seen = keras_vae.datasets.seen_quadrants(x, num_seen=2)"  # the left half
_OF_LATENTS = {
    "posterior": "z = model.encode(x).mean",
    "posteriors": "z = model.encode(x)[0].mean",
    "codes": "indices = model.encode_indices(x)",
    "point": "z = model.encode(x)",
}


def usage(recipe: Recipe, preset: str | None = None) -> str:
    """Returns a few lines of Python that use a preset on its own test data.

    Args:
        recipe: `Recipe`.
        preset: String, a folder to load it from in place of the recipe's name.
    """
    return "\n".join([loading(recipe, preset), *_uses(recipe, family_of(recipe))])


def loading(recipe: Recipe, preset: str | None = None) -> str:
    """Returns the first of these lines, which load a preset and its test data; to write them, no
    class is looked up, and Keras not imported.

    Args:
        recipe: `Recipe`.
        preset: String, a folder to load it from in place of the recipe's name.
    """
    own = ("name", "pairs")
    options = {k: v for k, v in recipe.data.items() if k not in own and v != "dynamic"}
    data = ", ".join([_code(recipe.data["name"]), *(f"{k}={_code(v)}" for k, v in options.items())])
    x = "data.test.x[:100]"
    if recipe.is_dynamic:
        x = f"keras_vae.datasets.binarize({x}, seed={recipe.evaluation.get('seed', 0)})"
    has_labels = recipe.data.get("pairs") in ("labels", "prior_labels", "classes")
    family = recipe.family.rpartition(">")[-1]
    return "\n".join(
        [
            "import keras_vae",
            "",
            f"model = keras_vae.from_preset({_code(preset or recipe.name)})  # {family}",
            f"data = keras_vae.datasets.load({data})",
            f"x, y = {x}, data.test.y[:100]" if has_labels else f"x = {x}",
        ]
    )


def _uses(recipe, family):
    """What can be done with x, and with the labels y, line by line; the last one prints."""
    match recipe.data.get("pairs"):
        case "classes":
            return ["probabilities = model.predict(x)", _scores(family, "x, y")]
        case "prediction":
            return [_SEEN, "pictures = model.predict(seen)", _scores(family, "seen, x")]
        case "completion":
            new = "new = model.sample(len(seen), condition=seen, seed=0)"
            return [_SEEN, new, _scores(family, "x", condition="seen")]
        case "labels":
            new = "new = model.sample(16, condition=1, seed=0)"
            return [new, _scores(family, "x", condition="y")]
    is_told = recipe.data.get("pairs") == "prior_labels"
    lines = [_OF_LATENTS[family.encode_gives]] if family.encode_gives else []
    if can_sample(recipe):
        lines.append(f"new = model.sample(16{', condition=1' * is_told}, seed=0)")
    elif family.can_reconstruct:
        lines.append("again = model.reconstruct(x)")
    return [*lines, _scores(family, "x", condition="y" if is_told else None)]


def _scores(family, x, condition=None):
    """The line that prints how well the model explains x."""
    told = f", condition={condition}" if condition else ""
    if family.log_likelihood_is is None:
        given = f"{x}, {condition}" if condition else x
        return f"print(model.evaluate({given}, verbose=0, return_dict=True))"
    if family.log_likelihood_is == "estimate":
        told = f"{told}, num_samples=100, seed=0"
    return f"print(model.log_likelihood({x}{told}).mean())  # nats"


def _code(value):
    return json.dumps(value)  # as Python, with the double quotes of this house
