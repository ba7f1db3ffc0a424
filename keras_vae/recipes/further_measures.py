"""Numbers that only some recipes ask for, by `measures` of `[evaluation]`."""

import numpy as np

from keras_vae import evaluation
from keras_vae import presets
from keras_vae.datasets.quadrants import MAX_SEEN
from keras_vae.datasets.splits import Arrays
from keras_vae.models import GenerativeModel
from keras_vae.models import from_preset
from keras_vae.recipes.data import pairs
from keras_vae.recipes.measure import measure
from keras_vae.recipes.measure import taken
from keras_vae.recipes.recipe import Recipe

CLASSIFIER = "classifier_mnist"
NUM_SAMPLES = 10_000  # pictures drawn, as many as there are to compare with


def check_measures(recipe: Recipe) -> None:
    """Makes sure, before hours of training, that what comes after them can be measured.

    Raises:
        ValueError: a measure that there is not, or the preset that it needs is not here.
    """
    asked = _asked(recipe)
    unknown = sorted(set(asked) - _MEASURES.keys())
    if unknown:
        raise ValueError(
            f"The recipe {recipe.name!r}: there is no measure {', '.join(unknown)}. `measures` of "
            f"[evaluation] may name {', '.join(sorted(_MEASURES))}."
        )
    if "samples" in asked:
        presets.find(CLASSIFIER)


def all_measures(model: GenerativeModel, recipe: Recipe, test: Arrays, verbose: int = 1) -> dict:
    """Returns every number of a trained model: what the `test` part of `metrics.json` holds.

    Args:
        model: a trained model.
        recipe: `Recipe`, which `check_measures` has found right.
        test: `Arrays`, the test part of its data.
        verbose: 1 shows progress.
    """
    return {
        **measure(model, pairs(recipe, test), recipe.evaluation, verbose),
        **further_measures(model, recipe, test),
    }


def further_measures(model: GenerativeModel, recipe: Recipe, test: Arrays) -> dict:
    """Returns `{name: number}` of what the recipe's `measures` names.

    Args:
        model: a trained model.
        recipe: `Recipe`, which `check_measures` has found right.
        test: `Arrays`, the test part of its data.
    """
    numbers: dict = {}
    for name in _asked(recipe):
        numbers |= _MEASURES[name](model, recipe, test)
    return numbers


def _asked(recipe):
    return recipe.evaluation.get("measures", [])


def _aggregate_posterior(model, recipe, test):
    """Mean and standard deviation of the codes of all test examples, in each dimension."""
    z = np.asarray(evaluation.map_batches(model, model.encode, test.x), "float64")
    mean, std = z.mean(axis=0), z.std(axis=0)
    return {
        "aggregate_largest_mean": float(np.abs(mean).max()),
        "aggregate_smallest_std": float(std.min()),
        "aggregate_largest_std": float(std.max()),
    }


def _quadrants(model, recipe, test):
    """-log p of the hidden quadrants given those seen, for one, two and three of them seen."""
    config, numbers = recipe.evaluation, {}
    for num_seen in range(1, MAX_SEEN + 1):
        shown = pairs(recipe, test, num_seen)
        options, proposals = {}, {"nll": {}}
        if model.log_likelihood_is == "estimate":
            num_samples = config.get("quadrants_num_samples", 500)
            options = {"num_samples": num_samples, "seed": config.get("seed", 0)}
            if by_prior := taken(model.log_likelihood, proposal="prior"):
                proposals["nll_by_prior"] = by_prior
        for name, proposal in proposals.items():
            log_p = model.log_likelihood(*shown, **options, **proposal)
            numbers[f"{name}_{num_seen}_seen"] = float(-log_p.mean())
    return numbers


def _codes(model, recipe, test):
    """How well codes stand for pictures, and what each of them costs."""
    shown = pairs(recipe, test)
    error = np.mean(np.square(model.reconstruct(*shown) - test.x), dtype="float64")
    numbers = {"mse_over_variance": float(error / np.var(test.x, dtype="float64"))}
    logs = model.evaluate(*shown, batch_size=100, return_dict=True, verbose=0)
    for level, shape in enumerate(model.code_shapes, start=1):
        kl = logs["kl" if len(model.code_shapes) == 1 else f"kl_{level}"]
        numbers[f"nats_per_code_{level}"] = float(kl / np.prod(shape))
    return numbers


def _samples(model, recipe, test):
    """How samples look to a classifier: the distance of their features from those of test
    pictures, and for a conditional model how many are taken for their label."""
    classifier = from_preset(CLASSIFIER)
    labels = np.arange(NUM_SAMPLES, dtype="int32") % 10
    is_conditional = recipe.data.get("pairs") in ("labels", "prior_labels")
    options = {"condition": labels} if is_conditional else {}
    samples = model.sample(NUM_SAMPLES, seed=recipe.evaluation.get("seed", 0), **options)
    features = [classifier.features(x) for x in (samples, test.x)]
    numbers = {"classifier_frechet_distance": evaluation.frechet_distance(*features)}
    if is_conditional:
        taken_for = classifier.predict(samples, batch_size=500, verbose=0).argmax(axis=-1)
        numbers["samples_classified_as_their_label"] = float(np.mean(taken_for == labels))
    return numbers


_MEASURES = {
    "aggregate_posterior": _aggregate_posterior,
    "codes": _codes,
    "quadrants": _quadrants,
    "samples": _samples,
}
