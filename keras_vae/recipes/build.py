"""From the tables of a recipe to a model and its optimizer."""

import inspect

import keras
import numpy as np

from keras_vae import layers
from keras_vae import models
from keras_vae import networks
from keras_vae import priors

# What a recipe may name. Nothing else is looked up, so a recipe cannot run foreign code.
_ROOMS = (layers, models, networks, priors)


def build_model(recipe, data_shape, seed):
    """Returns the recipe's model, not compiled.

    Args:
        recipe: `Recipe`.
        data_shape: shape of one example.
        seed: int, of the model's noise and the order of its batches. The initial weights follow
            from `keras.utils.set_random_seed`.

    Raises:
        ValueError: a table names no class of keras_vae, or an argument it has not.
    """
    likelihood = _build(recipe, "likelihood")
    encoder = _build(recipe, "encoder", input_shape=data_shape)
    decoder = _build(
        recipe,
        "decoder",
        output_shape=data_shape,
        latent_dim=encoder.latent_dim,
        num_parameters=likelihood.num_parameters,
    )
    parts = {"encoder": encoder, "decoder": decoder, "likelihood": likelihood}
    return _build(recipe, "model", **parts, seed=seed)


def build_optimizer(recipe, num_updates):
    """Returns Adam with a cosine schedule from `learning_rate` to `final_learning_rate`."""
    start = recipe.training.get("learning_rate", 1e-3)
    end = recipe.training.get("final_learning_rate", start / 100)
    schedule = keras.optimizers.schedules.CosineDecay(start, num_updates, alpha=end / start)
    return keras.optimizers.Adam(schedule)


def start_at_data_mean(model, x):
    """Sets the decoder's output bias so that training starts at the mean picture (Burda et al.
    2016), where the decoder has one."""
    if hasattr(model.decoder, "set_output_bias"):
        mean = np.mean(x, axis=0, dtype="float64")
        model.decoder.set_output_bias(model.likelihood.output_for_mean(mean))


def _build(recipe, part, **given):
    """Calls the constructor that the table's `class` names with the rest of the table."""
    table = dict(getattr(recipe, part))
    kind = _class_named(table.pop("class", None), recipe, part)
    taken = inspect.signature(kind.__init__).parameters
    unknown = sorted(table.keys() - taken.keys() | table.keys() & given.keys())
    if unknown:
        known = sorted(taken.keys() - given.keys() - {"self", "kwargs"})
        raise ValueError(
            f"The recipe {recipe.name!r}: [{part}] gives {', '.join(unknown)}, which "
            f"{kind.__name__} does not take here. It takes: {', '.join(known)}."
        )
    arguments = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    try:
        return kind(**given, **arguments)
    except TypeError as error:  # a missing argument, or one of a wrong type
        raise ValueError(f"The recipe {recipe.name!r}: [{part}] {error}.") from error


def _class_named(name, recipe, part):
    found = [vars(room)[name] for room in _ROOMS if name in vars(room)]
    if not found or not inspect.isclass(found[0]):
        raise ValueError(
            f"The recipe {recipe.name!r}: the `class` of [{part}] must be a public class of "
            f"keras_vae, such as VAE or ConvEncoder. Received: {name!r}."
        )
    return found[0]
