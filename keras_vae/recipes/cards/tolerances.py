"""How far a number that is measured again may lie from the one that a card states.

The one place where this is said. A backend draws the same noise again, and differs by rounding
only; another backend draws other noise, so that a mean over draws differs by its standard error.

- What follows from weights and data without noise: `EXACT`, relative.
- A mean over examples of what is drawn for each: `NUM_ERRORS` standard errors of the difference of
  two such means, from the spread of the draws of one example that `_SPREADS` has.
- Counts and settings: none.
- Times and hardware are no numbers of a model.
"""

import math
import re

EXACT = 1e-3  # relative; float32 sums and the matrix products of a GPU differ by less
NUM_ERRORS = 4
_LEAST = 1e-6  # absolute, for numbers that are 0

# Spread, over draws, of what one example contributes, in nats: more than was seen, of one draw 5.1,
# and of many 0.4 (vae_mnist) and 1.2 (vae_mnist_mini). Likelihoods of grey levels spread more: on
# Frey faces 10 of one draw, and 3.4 of 500.
_SPREADS = {
    r"elbo|reconstruction|kl(_\d+)?|nll_bound|nll_by_prior_\d_seen": 8.0,
    r"nll|nll_\d_seen": 1.5,
}
_OF_GREY_LEVELS = 3.0  # times as much
_BLACK_AND_WHITE = "BernoulliLikelihood"
_OTHER_SPREADS = {
    r"discriminator": 1.0,
    r"discriminator_accuracy|samples_classified_as_their_label": 0.5,  # at most: a share
}
_RELATIVE = {
    r".*_standard_error": 0.05,
    r"classifier_frechet_distance": 0.1,  # of a covariance estimated from 10,000 samples
}
# Shares of what is chosen by an argmax or a threshold: a few examples may fall on the other side.
_ABSOLUTE = {r"accuracy": 1e-3, r"usage(_\d)?": 1e-2}
_SETTINGS = ("num_examples", "latent_dim", "nll_num_samples", "active_units")
_NO_NUMBERS = ("nll_seconds",)
_OF_CODES = ("VQVAE", "VQVAE2")
_KL_IN_CLOSED_FORM = ("VAE", "CVAE", "IWAE", "DReGIWAE")
_GAUSSIAN_PRIORS = ("StandardNormal", "ConditionalGaussian")


def tolerance(name, test, recipe):
    """Returns by how much a number may differ, in its own unit.

    Args:
        name: str, of a number in `test`.
        test: dict, the `test` part of a `metrics.json`.
        recipe: `Recipe`, which says whether the number is one of draws.
    """
    if name in _SETTINGS:
        return 0.0
    if name.endswith("_bits_per_dim"):
        nats = name.removesuffix("_bits_per_dim")
        scale = abs(test[name] / test[nats]) if test[nats] else 1.0
        return scale * tolerance(nats, test, recipe)
    if (allowed := _found(_ABSOLUTE, name)) is not None:
        return allowed
    if (relative := _found(_RELATIVE, name)) is not None:
        return relative * abs(test[name])
    if (spread := _spread(name, test, recipe)) is not None:
        return NUM_ERRORS * spread * math.sqrt(2 / test["num_examples"])
    return EXACT * abs(test[name]) + _LEAST


def compare(stated, measured, recipe):
    """Returns `[(name, stated, measured, tolerance, is_within)]` of all numbers of a preset.

    A number that only one of the two has is not within.

    Args:
        stated, measured: dict, the `test` part of a `metrics.json`.
        recipe: `Recipe`.
    """
    names = [name for name in {**stated, **measured} if name not in _NO_NUMBERS]
    return [_compared(name, stated, measured, recipe) for name in names]


def _compared(name, stated, measured, recipe):
    ours, again = stated.get(name), measured.get(name)
    if ours is None or again is None:
        return name, ours, again, 0.0, False
    if isinstance(ours, list):  # a count for each level
        return name, ours, again, 0.0, ours == again
    allowed = tolerance(name, stated, recipe)
    return name, ours, again, allowed, abs(again - ours) <= allowed  # which NaN is not


def _spread(name, test, recipe):
    """Returns the standard deviation, over draws, of one example's part, or `None` without any."""
    if _is_without_draws(name, test, recipe):
        return None
    likelihood = recipe.parts.get("likelihood", {}).get("class", _BLACK_AND_WHITE)
    nats = _found(_SPREADS, name)
    if nats is not None:
        return nats * (1.0 if likelihood == _BLACK_AND_WHITE else _OF_GREY_LEVELS)
    return _found(_OTHER_SPREADS, name)


def _found(table, name):
    return next((value for k, value in table.items() if re.fullmatch(k, name)), None)


def _is_without_draws(name, test, recipe):
    if recipe.family in _OF_CODES:
        return not name.startswith("samples_")
    if name == "kl":
        prior = recipe.parts.get("prior", {}).get("class", "StandardNormal")
        return recipe.family in _KL_IN_CLOSED_FORM and prior in _GAUSSIAN_PRIORS
    is_exact = test.get("nll_num_samples") == 1  # of predictors and autoregressive models
    return (recipe.family == "AAE" and name == "reconstruction") or is_exact
