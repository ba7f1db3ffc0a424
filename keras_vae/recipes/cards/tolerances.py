"""How far a repeated measurement of a number may lie from the one stated on a card.

The same backend repeats the same noise, so numbers differ only by rounding; another backend draws
other noise, so a mean over draws differs by its standard error. The table in `numbers` lists what
each number depends on; the classes in the recipe determine whether a model draws it at all. A mean
over examples with a draw for each may differ by `NUM_ERRORS` standard errors of the difference of
two such means.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from keras_vae.recipes import named_classes
from keras_vae.recipes.cards.numbers import EXACT
from keras_vae.recipes.cards.numbers import nats_of
from keras_vae.recipes.cards.numbers import number_of

if TYPE_CHECKING:
    from keras_vae.recipes.recipe import Recipe

NUM_ERRORS = 4


def tolerance(name: str, test: dict, recipe: Recipe) -> float:
    """Returns the allowed difference of a number, in its own unit.

    Args:
        name: String, the name of a number in `test`.
        test: Dict, the `test` part of a `metrics.json`.
        recipe: `Recipe`, which determines whether the number depends on draws.
    """
    number = number_of(name)
    nats = nats_of(name)
    if number.kind == "bits" and nats in test:  # sizes of files have no nats
        scale = abs(test[name] / test[nats]) if test[nats] else 1.0
        return scale * tolerance(nats, test, recipe)
    rule = number.tolerance
    if rule.drawn and not _is_drawn(rule.drawn, recipe):
        rule = EXACT
    if rule.drawn:
        unit = 1.0 if rule.drawn == "samples" else named_classes.spread_of_draws(recipe)
        return NUM_ERRORS * rule.spread * unit * math.sqrt(2 / test["num_examples"])
    return rule.relative * abs(test[name]) + rule.absolute


def compare(stated: dict, measured: dict, recipe: Recipe) -> list[tuple]:
    """Returns `[(name, stated, measured, tolerance, is_within)]` for all numbers of a preset.

    `is_within` is false for a number that only one of the two has.

    Args:
        stated, measured: Dict, the `test` part of a `metrics.json`.
        recipe: `Recipe`.
    """
    names = [name for name in {**stated, **measured} if number_of(name).kind != "time"]
    return [_compared(name, stated, measured, recipe) for name in names]


def _compared(name, stated, measured, recipe):
    ours, again = stated.get(name), measured.get(name)
    if ours is None or again is None:
        return name, ours, again, 0.0, False
    if isinstance(ours, list):  # a count for each level
        return name, ours, again, 0.0, ours == again
    allowed = tolerance(name, stated, recipe)
    return name, ours, again, allowed, abs(again - ours) <= allowed  # false for NaN


def _is_drawn(what, recipe):
    """Whether a model's numbers have this type of noise."""
    if what == "posterior":
        return named_classes.is_inferred_by_draws(recipe)
    if what == "kl":
        return not named_classes.is_kl_exact(recipe)
    if what == "likelihood":
        return named_classes.family_of(recipe).log_likelihood_is == "estimate"
    return True
