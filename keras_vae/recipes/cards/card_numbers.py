"""The part of a card with a preset's numbers, and how they were measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from keras_vae.recipes import named_classes
from keras_vae.recipes.cards import published
from keras_vae.recipes.cards.markdown import escaped
from keras_vae.recipes.cards.markdown import table
from keras_vae.recipes.cards.numbers import ranges
from keras_vae.recipes.cards.numbers import rows

if TYPE_CHECKING:
    from keras_vae.recipes.recipe import Recipe

CARD = "README.md"
METRICS = "metrics.json"
_ACTIVE = "A unit is active if the variance of its posterior mean over the test set exceeds 0.01."
_FRECHET = (
    "The Frechet distance is between Gaussians fitted to the features of classifier_mnist, of "
    "10,000 samples (means of p(x|z)) and of the test pictures. It can be compared with that of "
    "other presets here, and with no other number."
)
_OF_RECONSTRUCTIONS = (
    "The Frechet distance is between Gaussians fitted to the features of {}, of the test pictures "
    "and of their reconstructions, clipped to [0, 1]. It can be compared with that of other "
    "presets in the same features, and with no other number."
)
_RECOGNISED = (
    "A sample is recognised if classifier_mnist gives one class a probability above 0.9; 1,000 "
    "samples (means of p(x|z)) were drawn."
)
_FACTORS = (
    "The scores compare the means of q(z|x) of the test pictures with the five true factors. The "
    "FactorVAE and the beta-VAE score of guesses are 0.2."
)


def numbers_section(recipe: Recipe, metrics: dict, folder: Path) -> str:
    """Returns the numbers of a preset next to those of its twin or the preset that it started from,
    and those of other backends and papers.

    Args:
        recipe: `Recipe`.
        metrics: Dict, the contents of its `metrics.json`.
        folder: `pathlib.Path` of the preset; the other one is in the same parent folder.
    """
    twin, start = _beside(recipe.twin, folder), _beside(_start(recipe), folder)
    texts = [
        _table(recipe, metrics, twin, start),
        _comparison(recipe, metrics["test"], twin["test"]) if twin else "",
        _protocol(recipe, metrics),
        _published(recipe),
        _again(recipe, metrics),
    ]
    return "\n\n".join(text for text in texts if text)


def _table(recipe, metrics, twin, start):
    """One column for each source of numbers, one row for each number that this preset has."""
    columns = [(_ours(metrics), _values(metrics["test"]))]
    for backend, again in sorted(metrics.get("backends", {}).items()):
        columns.append((f"on {backend}", _values(again["test"])))
    if runs := _runs(metrics):
        columns.append((f"{len(runs)} seeds: range", ranges(runs)))
    if twin:
        columns.append((f"{recipe.twin}, trained alike", _values(twin["test"])))
    if start:
        columns.append((f"{_start(recipe)}, where it started", _values(start["test"])))
    for entry in filter(published.has_number, recipe.published):
        columns.append((escaped(entry["source"]), published.numbers(entry)))
    body = [
        [words, *(values.get(name, "") for _, values in columns)]
        for name, words, _ in rows(metrics["test"])
    ]
    return table(["test set", *(title for title, _ in columns)], body)


def _ours(metrics):
    on = f", on {metrics['environment']['backend']}" if metrics.get("backends") else ""
    return f"this preset{on}"


def _runs(metrics):
    """The numbers of all seeds, if there are several."""
    return [metrics["test"], *metrics["seeds"].values()] if "seeds" in metrics else []


def _values(test):
    return {name: value for name, _, value in rows(test)}


def _start(recipe):
    """The name of the preset whose weights the training started with, or ""."""
    return recipe.training.get("start", "")


def _beside(name, folder):
    """The metrics of the neighbouring preset of this name, if there is one."""
    path = folder.parent / name / METRICS
    return json.loads(path.read_text()) if name and path.exists() else None


def _comparison(recipe, ours, theirs):
    if "nll" not in ours or "nll" not in theirs:
        return ""
    gain = theirs["nll"] - ours["nll"]
    return (
        f"The NLL is {abs(gain):.2f} nats {'below' if gain > 0 else 'above'} that of "
        f"[{recipe.twin}](../{recipe.twin}/{CARD}), which was trained with the same data, "
        "epochs, batch size and learning rates."
    )


def _protocol(recipe, metrics):
    """How the numbers were measured, in sentences."""
    test = metrics["test"]
    has_error = any(name.endswith("_standard_error") for name in test)
    is_drawn = named_classes.is_inferred_by_draws(recipe)
    has_likelihood = named_classes.likelihood_of(recipe) is not None
    sentences = (
        (f"{test['num_examples']:,} test examples{_trained(metrics)}.", True),
        (_nll(recipe, test), True),
        ("± is the standard error of the mean over examples.", has_error),
        (_bound(recipe), named_classes.family_of(recipe).encode_gives == "codes"),
        ("ELBO with one draw each.", "elbo" in test and is_drawn),
        (recipe.kind.of_density, has_likelihood and named_classes.is_density(recipe)),
        (_ACTIVE, "active_units" in test),
        (_FRECHET, "classifier_frechet_distance" in test),
        (_of_reconstructions(test), True),
        (_FACTORS, "mutual_information_gap" in test),
        (_RECOGNISED, "samples_recognised" in test),
    )
    return " ".join(text for text, is_so in sentences if text and is_so)


def _of_reconstructions(test):
    of_classifier = "reconstructions_frechet_distance_in_"
    names = [n.removeprefix(of_classifier) for n in test if n.startswith(of_classifier)]
    return _OF_RECONSTRUCTIONS.format(*names) if names else ""


def _trained(metrics):
    others = len(metrics.get("seeds", ()))
    if not others:
        return ", one training run"
    return (
        f". The preset is one training run; {others} more used other seeds for the initial "
        "weights, the noise and the order of the data, and the table gives the range over all runs"
    )


def _nll(recipe, test):
    if "nll" not in test:
        return ""
    if named_classes.family_of(recipe).log_likelihood_is == "exact":
        return "The NLL is exact."
    seed = recipe.evaluation.get("seed", 0)
    return (
        f"NLL by importance sampling with {test['nll_num_samples']:,} draws from q(z|x) each "
        f"(an upper bound in expectation), seed {seed}."
    )


def _bound(recipe):
    cost = (
        "KL is -log p(codes), their cost under the trained prior"
        if named_classes.has_prior_of_codes(recipe)
        else "No prior was trained, so codes count as uniform, and KL is their number times log K"
    )
    return (
        "The ELBO and the bound on the NLL are exact, not estimates: the codes of a picture are "
        f"deterministic, so more draws would not tighten the bounds. {cost}."
    )


def _published(recipe):
    if not recipe.published:
        return "There is no published number to compare with."
    entries = [entry for entry in recipe.published if "protocol" in entry]
    return "\n".join(f"- {entry['source']}: {entry['protocol']}." for entry in entries)


def _again(recipe, metrics):
    where = [
        f"{backend} {again['environment']['backend_version']} ({again['environment']['date']})"
        for backend, again in sorted(metrics.get("backends", {}).items())
    ]
    also = f" The same weights were measured on {' and '.join(where)}." if where else ""
    return (
        f"`keras-vae evaluate {recipe.name} --full` measures every number again, and fails if "
        f"one differs by more than the tolerance that it prints.{also}"
    )
