"""A few lines of Python that show what a preset can do."""

import json

_WITHOUT_LIKELIHOOD = ("AAE", "Autoencoder")
_WITH_LEVELS = ("HierarchicalVAE", "LadderVAE")
OF_CODES = ("VQVAE", "VQVAE2")
AUTOREGRESSIVE = ("PixelCNN", "TransformerPrior")
_SEEN = "seen = keras_vae.datasets.seen_quadrants(x, num_seen=2)"  # the left half


def usage(recipe, preset=None):
    """Returns a few lines of Python that use a preset on its own test data.

    Args:
        recipe: `Recipe`.
        preset: str, a folder to load it from in place of the recipe's name.
    """
    own = ("name", "pairs")
    options = {k: v for k, v in recipe.data.items() if k not in own and v != "dynamic"}
    data = ", ".join([_code(recipe.data["name"]), *(f"{k}={_code(v)}" for k, v in options.items())])
    x = "data.test.x[:100]"
    if recipe.is_dynamic:
        x = f"keras_vae.datasets.binarize({x}, seed={recipe.evaluation.get('seed', 0)})"
    has_labels = recipe.data.get("pairs") in ("labels", "prior_labels", "classes")
    source = f"{recipe.family}.from_preset({_code(preset or recipe.name)})"
    return "\n".join(
        [
            "import keras_vae",
            "",
            f"model = keras_vae.{source}",
            f"data = keras_vae.datasets.load({data})",
            f"x, y = {x}, data.test.y[:100]" if has_labels else f"x = {x}",
            *_uses(recipe),
        ]
    )


def _uses(recipe):
    """What can be done with x, and with the labels y, line by line; the last one prints."""
    match recipe.data.get("pairs"):
        case "classes":
            return ["probabilities = model.predict(x)", _nats("x, y")]
        case "prediction":
            return [_SEEN, "pictures = model.predict(seen)", _nats("seen, x")]
        case "labels":
            new = "new = model.sample(16, condition=1, seed=0)"
            return [new, _nats("x, num_samples=100, seed=0, condition=y")]
        case "completion":
            new = "new = model.sample(len(seen), condition=seen, seed=0)"
            return [_SEEN, new, _nats("x, num_samples=100, seed=0, condition=seen")]
    if recipe.family in OF_CODES:
        return _uses_of_codes(recipe)
    if recipe.family in AUTOREGRESSIVE:
        return ["new = model.sample(16, seed=0)", _nats("x")]
    if recipe.family in _WITHOUT_LIKELIHOOD:
        return ["z, new = model.encode(x), model.sample(16, seed=0)", "print(new.shape)"]
    posterior = "model.encode(x)[0]" if recipe.family in _WITH_LEVELS else "model.encode(x)"
    new = f"z, new = {posterior}.mean, model.sample(16, seed=0)"
    return [new, _nats("x, num_samples=100, seed=0")]


def _uses_of_codes(recipe):
    if not recipe.parts.keys() & {"prior", "priors"}:  # nothing to sample from
        return ["indices, again = model.encode_indices(x), model.reconstruct(x)", _nats("x")]
    is_told = recipe.data.get("pairs") == "prior_labels"
    new = f"model.sample(16, seed=0{', condition=1' * is_told})"
    nats = _nats("x, condition=y" if is_told else "x")
    return [f"indices, new = model.encode_indices(x), {new}", nats]


def _nats(arguments):
    return f"print(model.log_likelihood({arguments}).mean())  # nats"


def _code(value):
    return json.dumps(value)  # as Python, with the double quotes of this house
