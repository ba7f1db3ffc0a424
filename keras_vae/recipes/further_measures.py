"""Numbers that only some recipes request, with `measures` in `[evaluation]`."""

import dataclasses
import warnings
from typing import Any

import numpy as np

from keras_vae import evaluation
from keras_vae import presets
from keras_vae.codecs.comparison import general_sizes
from keras_vae.datasets import shape_factors
from keras_vae.datasets.quadrants import MAX_SEEN
from keras_vae.datasets.splits import Arrays
from keras_vae.models import GenerativeModel
from keras_vae.models import from_preset
from keras_vae.recipes.data import pairs
from keras_vae.recipes.measure import measure
from keras_vae.recipes.measure import taken
from keras_vae.recipes.recipe import Recipe

CLASSIFIER = "classifier_mnist"
NUM_SAMPLES = 10_000  # samples to draw; for pictures, as many as there are to compare with
NUM_RECOGNISED = 1000  # pictures to draw for the measure of recognised samples
RECOGNISED = 0.9  # the probability of a class above which a picture is recognised


def check_measures(recipe: Recipe) -> None:
    """Checks that all the measures of a recipe can be computed.

    Raises:
        ValueError: If the recipe names an unknown measure, or one that needs the preset of a
            classifier whose weights are not available.
    """
    asked = _asked(recipe)
    unknown = sorted(set(asked) - _MEASURES.keys())
    if unknown:
        raise ValueError(
            f"The recipe {recipe.name!r}: there is no measure {', '.join(unknown)}. `measures` of "
            f"[evaluation] may name {', '.join(sorted(_MEASURES))}."
        )
    if "disentanglement" in asked and recipe.data["name"] != "shapes":
        raise ValueError(
            f"The recipe {recipe.name!r}: the measure disentanglement compares codes with true "
            f'factors, which the data "shapes" have. Received: {recipe.data["name"]!r}.'
        )
    for classifier in _classifiers(recipe):
        presets.find(classifier)


def measurable(recipe: Recipe) -> Recipe:
    """Returns the recipe without the measures that cannot be computed on this machine.

    A model can be trained without the preset of a classifier. A warning names the omitted measures,
    and `keras-vae evaluate FOLDER --full --record` computes them later.

    Raises:
        ValueError: If the recipe names an unknown measure.
    """
    left = [name for name in _asked(recipe) if name not in _NEED_CLASSIFIER]
    without = dataclasses.replace(recipe, evaluation={**recipe.evaluation, "measures": left})
    check_measures(without)
    try:
        check_measures(recipe)
    except (ValueError, OSError) as error:
        left_out = ", ".join(sorted(_NEED_CLASSIFIER & set(_asked(recipe))))
        classifiers = " or ".join(_classifiers(recipe))
        warnings.warn(
            f"The measure {left_out} is left out, because {classifiers} cannot be loaded: {error} "
            "Once it can, `keras-vae evaluate FOLDER --full --record` adds the missing numbers.",
            stacklevel=2,
        )
        return without
    return recipe


def all_measures(
    model: GenerativeModel,
    recipe: Recipe,
    test: Arrays,
    verbose: int = 1,
    train: Arrays | None = None,
) -> dict:
    """Returns all numbers of a trained model, the `test` part of `metrics.json`.

    Args:
        model: A trained model.
        recipe: `Recipe` that passed `check_measures`.
        test: `Arrays`, the test part of its data.
        verbose: 1 shows progress.
        train: `Arrays`, the training part, for measures that compare with it.
    """
    return {
        **measure(model, pairs(recipe, test), recipe.evaluation, verbose),
        **further_measures(model, recipe, test, train),
    }


def further_measures(
    model: GenerativeModel, recipe: Recipe, test: Arrays, train: Arrays | None = None
) -> dict:
    """Returns `{name: number}` for the recipe's `measures`.

    Args:
        model: A trained model.
        recipe: `Recipe` that passed `check_measures`.
        test: `Arrays`, the test part of its data.
        train: `Arrays`, the training part.
    """
    numbers: dict = {}
    for name in _asked(recipe):
        function: Any = _MEASURES[name]
        numbers |= function(model, recipe, test, **taken(function, train=train))
    return numbers


def _classifiers(recipe):
    """Returns the names of the presets that a recipe's measures need."""
    asked = set(_asked(recipe))
    of_reconstructions = {_classifier(recipe)} if "reconstructions" in asked else set()
    return sorted(of_reconstructions | ({CLASSIFIER} if asked & _OF_MNIST else set()))


def _classifier(recipe):
    return recipe.evaluation.get("classifier", CLASSIFIER)


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


def _clusters(model, recipe, test):
    """How well the components of the prior match the classes, which the model never sees."""
    clusters = evaluation.assign_clusters(model, test.x).argmax(axis=1)
    return {"cluster_accuracy": evaluation.cluster_accuracy(clusters, test.y)}


def _molecules(model, recipe, test, train):
    """How many sampled molecules are valid, distinct, and not in the training part."""
    drawn = model.sample(NUM_SAMPLES, seed=recipe.evaluation.get("seed", 0))
    return evaluation.molecule_shares(drawn, model.as_texts(train.x))._asdict()


def _mutual_information(model, recipe, test):
    """The information of z about x, over all test examples."""
    seed = recipe.evaluation.get("seed", 0)
    return {"mutual_information": evaluation.mutual_information(model, test.x, seed=seed)}


def _quadrants(model, recipe, test):
    """-log p of the hidden quadrants given the visible ones, for one, two and three of these."""
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
    """How well codes represent pictures, and the cost of each code."""
    shown = pairs(recipe, test)
    error = np.mean(np.square(model.reconstruct(*shown) - test.x), dtype="float64")
    numbers = {"mse_over_variance": float(error / np.var(test.x, dtype="float64"))}
    logs = model.evaluate(*shown, batch_size=100, return_dict=True, verbose=0)
    for level, shape in enumerate(model.code_shapes, start=1):
        kl = logs["kl" if len(model.code_shapes) == 1 else f"kl_{level}"]
        numbers[f"nats_per_code_{level}"] = float(kl / np.prod(shape))
    return numbers


def _reconstructions(model, recipe, test):
    """How reconstructions compare with the pictures: the distance between their features, and the
    difference of neighbouring pixels, which blur reduces."""
    shown = pairs(recipe, test)
    pictures = [np.clip(model.reconstruct(*shown), 0, 1), test.x]  # as shown
    classifier = _classifier(recipe)
    features = map(from_preset(classifier).features, pictures)
    of_decoded, of_pictures = map(_steepness, pictures)
    distance = evaluation.frechet_distance(*features)
    return {
        f"reconstructions_frechet_distance_in_{classifier}": distance,
        "reconstructions_steepness": of_decoded / of_pictures,
    }


def _steepness(x):
    """Returns the mean absolute difference of neighbouring pixels of pictures (N, H, W, C)."""
    return float(sum(np.mean(np.abs(np.diff(x, axis=i)), dtype="float64") for i in (1, 2)) / 2)


def _outliers(model, recipe, test):
    """How well the score separates outliers from the other rows of the test part."""
    nats = model.score(test.x)
    usual, odd = np.sort(nats[test.y == 0]), nats[test.y == 1]
    below = np.searchsorted(usual, odd, "left") + np.searchsorted(usual, odd, "right")
    return {"roc_auc": float(1 - below.mean() / (2 * len(usual))), "num_outliers": len(odd)}


def _samples(model, recipe, test):
    """How samples look to a classifier: the distance of their features from those of test
    pictures, and for a conditional model the fraction classified as their label."""
    classifier = from_preset(CLASSIFIER)
    samples, labels = _drawn(model, recipe, NUM_SAMPLES)
    features = [classifier.features(x) for x in (samples, test.x)]
    numbers = {"classifier_frechet_distance": evaluation.frechet_distance(*features)}
    if labels is not None:
        taken_for = classifier.predict(samples, batch_size=500, verbose=0).argmax(axis=-1)
        numbers["samples_classified_as_their_label"] = float(np.mean(taken_for == labels))
    return numbers


def _recognition(model, recipe, test):
    """How many samples the classifier is certain about, and how many classes they cover."""
    samples, _ = _drawn(model, recipe, NUM_RECOGNISED)
    probabilities = from_preset(CLASSIFIER).predict(samples, batch_size=500, verbose=0)
    is_recognised = probabilities.max(axis=-1) > RECOGNISED
    classes = np.unique(probabilities.argmax(axis=-1)[is_recognised])
    return {
        "samples_recognised": float(np.mean(is_recognised)),
        "classes_recognised": len(classes),
        "num_classes": probabilities.shape[-1],
    }


def _disentanglement(model, recipe, test):
    """How well single dimensions of the means of q(z|x) represent single factors."""
    z = evaluation.map_batches(model, lambda x: model.encode(x).mean, test.x)
    factors = shape_factors(test.y)
    dci = evaluation.dci(z, factors)
    return {
        "mutual_information_gap": evaluation.mutual_information_gap(z, factors),
        "factor_vae_score": evaluation.factor_vae_score(z, factors),
        "beta_vae_score": evaluation.beta_vae_score(z, factors),
        "dci_disentanglement": dci.disentanglement,
        "dci_completeness": dci.completeness,
        "dci_informativeness": dci.informativeness,
    }


def _drawn(model, recipe, num_samples):
    """Returns samples and, for a model with labels, the labels: equally many of each."""
    seed = recipe.evaluation.get("seed", 0)
    if recipe.data.get("pairs") not in ("labels", "prior_labels"):
        return model.sample(num_samples, seed=seed), None
    labels = np.arange(num_samples, dtype="int32") % 10
    return model.sample(num_samples, seed=seed, condition=labels), labels


def _formats(model, recipe, test):
    """Bits per dimension of the same pictures in one lossless file of other formats."""
    levels = np.round(np.asarray(test.x, "float64") * 255).astype("int32")
    sizes = general_sizes(levels, num_levels=256)
    found = {name: sizes[name] for name in ("PNG", "WebP") if name in sizes}
    return {f"{k.lower()}_bits_per_dim": 8 * size / levels.size for k, size in found.items()}


_MEASURES = {
    "aggregate_posterior": _aggregate_posterior,
    "clusters": _clusters,
    "codes": _codes,
    "disentanglement": _disentanglement,
    "formats": _formats,
    "molecules": _molecules,
    "outliers": _outliers,
    "mutual_information": _mutual_information,
    "quadrants": _quadrants,
    "recognition": _recognition,
    "reconstructions": _reconstructions,
    "samples": _samples,
}
_OF_MNIST = {"recognition", "samples"}
_NEED_CLASSIFIER = {*_OF_MNIST, "reconstructions"}
