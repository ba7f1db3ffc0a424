"""A few lines of Python that show what a preset can do."""

import json


def usage(recipe, preset=None):
    """Returns six lines of Python that use a preset on its own test data.

    Args:
        recipe: `Recipe`.
        preset: str, a folder to load it from in place of the recipe's name.
    """
    options = {k: v for k, v in recipe.data.items() if k != "name" and v != "dynamic"}
    data = ", ".join([_code(recipe.data["name"]), *(f"{k}={_code(v)}" for k, v in options.items())])
    x = "data.test.x[:100]"
    if recipe.is_dynamic:
        x = f"keras_vae.datasets.binarize({x}, seed={recipe.evaluation.get('seed', 0)})"
    source = f"{recipe.model['class']}.from_preset({_code(preset or recipe.name)})"
    return "\n".join(
        [
            "import keras_vae",
            "",
            f"model = keras_vae.{source}",
            f"data = keras_vae.datasets.load({data})",
            f"x = {x}",
            "z, new = model.encode(x).mean, model.sample(16, seed=0)",
            "print(model.log_likelihood(x, num_samples=100, seed=0).mean())  # nats",
        ]
    )


def _code(value):
    return json.dumps(value)  # as Python, with the double quotes of this house
