"""The classes that a recipe names, and properties of its model that follow before building it."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from keras_vae.recipes.recipe import Recipe


@functools.cache
def _rooms():
    """Returns the modules whose classes a recipe may name, besides those that its user has
    registered with Keras. Nothing else is looked up, so a recipe cannot run foreign code."""
    # Imported here, so that texts that need no class are written without importing Keras.
    from keras_vae import callbacks
    from keras_vae import conditions
    from keras_vae import distributions
    from keras_vae import layers
    from keras_vae import likelihoods
    from keras_vae import models
    from keras_vae import networks
    from keras_vae import priors
    from keras_vae import quantizers
    from keras_vae import schedules

    return (
        callbacks,
        conditions,
        distributions,
        layers,
        likelihoods,
        models,
        networks,
        priors,
        quantizers,
        schedules,
    )


def _registered(name):
    """Returns the object registered with Keras under a name, or `None`."""
    import keras

    return keras.saving.get_registered_object(name)


def class_named(name: str, recipe: Recipe, place: str) -> type:
    """Returns the class that a table of a recipe names.

    Args:
        name: String, a public class of keras_vae, such as "VAE", or "package>Name" for one that was
            registered with `keras.saving.register_keras_serializable(package)`.
        recipe: `Recipe`, for the error.
        place: String, the table, for the error.

    Raises:
        ValueError: If there is no such class.
    """
    found = next((vars(room)[name] for room in _rooms() if name in vars(room)), None)
    if found is None and isinstance(name, str) and ">" in name:
        found = _registered(name)
    if not inspect.isclass(found):
        raise ValueError(
            f"The recipe {recipe.name!r}: the `class` of [{place}] must be a public class of "
            "keras_vae, such as VAE or ConvEncoder, or one that is registered with Keras, such as "
            f"mine>VAE, and imported. Received: {name!r}."
        )
    return found


def arguments_of(kind: type) -> set[str]:
    """Returns the argument names of a constructor, including those that it passes to its base."""
    names = set()
    for base in kind.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = inspect.signature(base.__init__).parameters
        names |= parameters.keys() - {"self", "args", "kwargs"}
        if "kwargs" not in parameters:
            break
    return names


def family_of(recipe: Recipe) -> type:
    """Returns the class of a recipe's model."""
    return class_named(recipe.family, recipe, "model")


def likelihood_of(recipe: Recipe) -> Any:
    """Returns the class of a recipe's likelihood, or `None` if its family has none."""
    family = family_of(recipe)
    if family.fixed_likelihood or "likelihood" not in arguments_of(family):
        return family.fixed_likelihood
    return class_named(recipe.parts["likelihood"]["class"], recipe, "likelihood")


def is_density(recipe: Recipe) -> bool:
    """Whether likelihoods are, or may be, densities, whose nats do not convert to bits."""
    likelihood = likelihood_of(recipe)
    return likelihood is None or likelihood.is_density


def spread_of_draws(recipe: Recipe) -> float:
    """Returns the spread of log p(x|z) of one example over draws of z, in nats."""
    kind: Any = likelihood_of(recipe) or class_named("Likelihood", recipe, "likelihood")
    return kind.spread_of_draws


def is_inferred_by_draws(recipe: Recipe) -> bool:
    """Whether a model's z is drawn from q(z|x), rather than a code or a point."""
    family = family_of(recipe)
    if family.encode_gives is None:
        return family.log_likelihood_is != "exact"  # assume draws, if unknown
    return family.encode_gives in ("posterior", "posteriors")


def is_kl_exact(recipe: Recipe) -> bool:
    """Whether the KL from the posterior to the prior is computed without draws."""
    if not is_inferred_by_draws(recipe):
        return True
    prior = recipe.parts.get("prior")
    return family_of(recipe).kl_is_exact(prior and class_named(prior["class"], recipe, "prior"))


def has_prior_of_codes(recipe: Recipe) -> bool:
    """Whether a quantized model has a trained prior; otherwise each code costs log K."""
    return bool(recipe.prior_training)


def can_sample(recipe: Recipe) -> bool:
    """Whether samples can be drawn from the model that a recipe trains."""
    family = family_of(recipe)
    has_what_it_needs = family.encode_gives != "codes" or has_prior_of_codes(recipe)
    return family.sample_draws is not None and has_what_it_needs
