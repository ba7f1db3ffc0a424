"""The numbers of `metrics.json`: a table of what each means and how it is shown."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING
from typing import Literal

from keras_vae.recipes.cards.markdown import escaped

if TYPE_CHECKING:
    from keras_vae.recipes.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """How far a repeated measurement of a number may lie from the stated one.

    Args:
        relative: Float, the relative change of the number due to rounding or another estimate.
        absolute: Float, in the unit of the number.
        drawn: The noise that the number depends on: "posterior", draws of z from q(z|x); "kl", the
            same, unless the KL has a closed form; "likelihood", the draws that estimate log p(x);
            "samples", other draws; or "" for none. A number without noise in a given model falls
            back to `EXACT`.
        spread: Float, the standard deviation over draws of one example's contribution: in units of
            the number for "samples", otherwise as a fraction of the likelihood's
            `spread_of_draws`.
    """

    relative: float = 0.0
    absolute: float = 0.0
    drawn: Literal["", "posterior", "kl", "likelihood", "samples"] = ""
    spread: float = 1.0


SAME = Tolerance()
# Float32 sums and matrix products on GPUs differ by less. `absolute` is for numbers near 0.
EXACT = Tolerance(relative=1e-3, absolute=1e-6)
ONE_DRAW = Tolerance(drawn="posterior")
KL = Tolerance(drawn="kl")
ONE_WEIGHT = Tolerance(drawn="likelihood")  # an estimate dominated by a few draws
MANY_DRAWS = Tolerance(drawn="likelihood", spread=1.5 / 8)
SHARE = Tolerance(drawn="samples", spread=0.5)  # the largest standard deviation of a fraction

SCORE = Tolerance(absolute=2e-2)  # codes near the edge of a bin, and votes, may change


@dataclasses.dataclass(frozen=True)
class Number:
    """A row of the table.

    Args:
        pattern: Regular expression that matches its names in `metrics.json`.
        words: Description, with {} for the groups of the pattern.
        decimals: Integer.
        kind: "nats", "bits", "ratio", "share", "count", "setting" (of the measurement) or "time",
            which does not describe a model and is not compared.
        tolerance: `Tolerance`.
        direction: "min" or "max", whether lower or higher values are better, or `None`.
        is_shown: Whether cards and terminals show it.
        on_hubs: Its name in the front matter of a card, for model hubs; "" leaves it out.
        headline: Text with which it represents the whole preset in a table, with {} for the number,
            or "" if it does not. The first of `HEADLINES` is used.
        out_of: Name of the number that a count is a part of.
    """

    pattern: str
    words: str
    decimals: int = 2
    kind: Literal["nats", "bits", "ratio", "share", "count", "setting", "time"] = "nats"
    tolerance: Tolerance = EXACT
    direction: Literal["min", "max"] | None = None
    is_shown: bool = True
    on_hubs: str = ""
    headline: str = ""
    out_of: str = ""


# In the order of a card.
NUMBERS = (
    Number(
        r"nll",
        "NLL, nats per example",
        tolerance=MANY_DRAWS,
        direction="min",
        on_hubs="negative log-likelihood, nats per example",
        headline="{}",
    ),
    Number(
        r"nll_bits_per_dim",
        "NLL, bits per dimension",
        4,
        "bits",
        direction="min",
        on_hubs="negative log-likelihood, bits per dimension",
    ),
    Number(
        r"nll_bound",
        "bound on the NLL, nats",
        tolerance=ONE_DRAW,
        direction="min",
        on_hubs="bound on the negative log-likelihood, nats per example",
    ),
    Number(
        r"nll_bound_bits_per_dim",
        "bound on the NLL, bits per dimension",
        4,
        "bits",
        direction="min",
    ),
    Number(r"png_bits_per_dim", "the same pictures as PNG, bits per dimension", 4, "bits"),
    Number(
        r"webp_bits_per_dim", "the same pictures as lossless WebP, bits per dimension", 4, "bits"
    ),
    Number(r"nll_per_code", "NLL, nats per element", 4, direction="min"),
    Number(
        r"token_perplexity",
        "perplexity of a token, exp of the nats per token",
        2,
        "ratio",
        Tolerance(relative=1e-2),
        "min",
        on_hubs="perplexity of a token",
    ),
    Number(
        r"nll_per_token",
        "NLL, nats per token, the mean of the examples' own means",
        4,
        direction="min",
        is_shown=False,
    ),
    Number(
        r"nll_(\d)_seen",
        "NLL of the hidden quadrants, {} of 4 seen, nats",
        tolerance=MANY_DRAWS,
        direction="min",
    ),
    Number(
        r"nll_by_prior_(\d)_seen",
        "the same, estimated with draws from the prior, {} seen, nats",
        tolerance=ONE_WEIGHT,
        direction="min",
    ),
    Number(
        r"elbo",
        "ELBO, nats",
        tolerance=ONE_DRAW,
        direction="max",
        on_hubs="evidence lower bound, nats per example",
    ),
    Number(
        r"reconstruction",
        "reconstruction, -E[log p(x|z)], nats",
        tolerance=ONE_DRAW,
        direction="min",
    ),
    Number(r"kl", "KL(q(z|x), p(z)), nats", tolerance=KL),
    Number(r"kl_(\d+)", "KL of level {}, nats", tolerance=ONE_DRAW),
    Number(r"mutual_information", "mutual information of x and z, nats", tolerance=ONE_DRAW),
    Number(r"adversarial", "adversarial term, nats"),
    Number(
        r"discriminator",
        "cost of the discriminator, nats",
        tolerance=Tolerance(drawn="samples", spread=1.0),
        is_shown=False,
    ),
    Number(
        r"discriminator_accuracy",
        "accuracy of the discriminator",
        3,
        "share",
        SHARE,
    ),
    Number(
        r"accuracy",
        "accuracy",
        4,
        "share",
        # Depends on an argmax, which may change for a few examples.
        Tolerance(absolute=1e-3),
        "max",
        on_hubs="accuracy",
        headline="accuracy {}",
    ),
    Number(
        r"cluster_accuracy",
        "accuracy of latent classes, matched one to one with the labels",
        4,
        "share",
        Tolerance(absolute=2e-3),  # depends on an argmax, as above
        "max",
        on_hubs="accuracy of latent classes",
        headline="accuracy of latent classes {}",
    ),
    Number(
        r"roc_auc",
        "ROC-AUC of the score, outliers against the other rows of the test part",
        4,
        "share",
        Tolerance(absolute=2e-3),  # of an importance-sampled score, on another machine
        "max",
        on_hubs="ROC-AUC",
        headline="ROC-AUC {}",
    ),
    Number(
        r"mse_over_variance",
        "squared error over the variance of the data",
        4,
        "ratio",
        direction="min",
        on_hubs="squared error over the variance of the data",
        headline="MSE/variance {}",
    ),
    Number(
        r"nats_per_code_(\d)",
        "nats per code of level {}",
        4,
        direction="min",
        on_hubs="nats per code of level {}",
    ),
    Number(r"commitment", "distance of z_e from its codes, squared", 4, "ratio", is_shown=False),
    Number(r"codebook", "distance of codes from their z_e, squared", 4, "ratio", is_shown=False),
    Number(
        r"usage",
        "fraction of the codes used in the test set",
        4,
        "share",
        Tolerance(absolute=1e-2),
        "max",
    ),
    Number(
        r"usage_(\d)",
        "fraction of the codes of level {} used in the test set",
        4,
        "share",
        Tolerance(absolute=1e-2),
        "max",
    ),
    Number(r"perplexity", "perplexity of the codes", 1, "ratio", direction="max"),
    Number(r"perplexity_(\d)", "perplexity of the codes of level {}", 1, "ratio", direction="max"),
    Number(r"active_units", "active units", 0, "count", SAME, out_of="latent_dim"),
    Number(
        r"aggregate_largest_mean",
        "codes of the test set: largest absolute mean of a dimension",
        3,
        "ratio",
    ),
    Number(r"aggregate_smallest_std", "smallest standard deviation of a dimension", 3, "ratio"),
    Number(r"aggregate_largest_std", "largest standard deviation of a dimension", 3, "ratio"),
    Number(
        r"classifier_frechet_distance",
        "Frechet distance of samples, features of classifier_mnist",
        2,
        "ratio",
        Tolerance(relative=0.1),  # of a covariance that is estimated from 10,000 samples
        "min",
        on_hubs="Frechet distance in the features of classifier_mnist",
        headline="Frechet distance {}",
    ),
    Number(
        r"reconstructions_frechet_distance_in_(\w+)",
        "Frechet distance of reconstructions, features of {}",
        3,
        "ratio",
        Tolerance(relative=1e-2),  # codes near the edge of a cell may change
        "min",
        on_hubs="Frechet distance of reconstructions in the features of {}",
    ),
    Number(
        r"reconstructions_steepness",
        "difference of neighbouring pixels, reconstructions over pictures",
        3,
        "ratio",
    ),
    Number(
        r"samples_classified_as_their_label",
        "samples classified as their own label",
        4,
        "share",
        SHARE,
        "max",
    ),
    Number(
        r"validity",
        "share of 10,000 drawn texts that are molecules",
        4,
        "share",
        Tolerance(absolute=0.02),  # for other draws: four standard errors of a fraction of 10,000
        "max",
        on_hubs="validity of drawn molecules",
    ),
    Number(
        r"uniqueness",
        "share of these that differ",
        4,
        "share",
        Tolerance(absolute=0.02),
        "max",
        on_hubs="uniqueness of drawn molecules",
    ),
    Number(
        r"novelty",
        "share of these that are not in the training part",
        4,
        "share",
        Tolerance(absolute=0.03),
        on_hubs="novelty of drawn molecules",
    ),
    Number(
        r"samples_recognised",
        "samples recognised by classifier_mnist",
        3,
        "share",
        SHARE,
        "max",
        on_hubs="share of samples that classifier_mnist recognises",
    ),
    Number(
        r"classes_recognised",
        "classes among the recognised samples",
        0,
        "count",
        SAME,
        "max",
        out_of="num_classes",
    ),
    Number(
        r"mutual_information_gap",
        "mutual information gap",
        3,
        "share",
        SCORE,
        "max",
        on_hubs="mutual information gap",
    ),
    Number(r"factor_vae_score", "FactorVAE score", 3, "share", SCORE, "max"),
    Number(r"beta_vae_score", "beta-VAE score", 3, "share", SCORE, "max"),
    Number(r"dci_(.+)", "DCI {}", 3, "share", SCORE, "max"),
    Number(
        r"(.+)_standard_error",
        "standard error of {}",
        tolerance=Tolerance(relative=0.05),
        is_shown=False,
    ),
    Number(r"num_outliers", "outliers", 0, "setting", SAME, is_shown=False),
    Number(r"num_examples", "test examples", 0, "setting", SAME, is_shown=False),
    Number(r"latent_dim", "size of z", 0, "setting", SAME, is_shown=False),
    Number(r"num_classes", "classes of the classifier", 0, "setting", SAME, is_shown=False),
    Number(r"nll_num_samples", "draws each for the NLL", 0, "setting", SAME, is_shown=False),
    Number(r"nll_seconds", "time of the NLL, seconds", 0, "time", is_shown=False),
)
HEADLINES = (
    "accuracy",
    "cluster_accuracy",
    "roc_auc",
    "mse_over_variance",
    "nll",
    "classifier_frechet_distance",
)


def number_of(name: str) -> Number:
    """Returns the row for a name in `metrics.json`.

    A name without a row is a term that a family, possibly the user's own, adds to the logs: it is
    in nats per example, as the base class requires, and may depend on a draw of z.
    """
    for number in NUMBERS:
        if re.fullmatch(number.pattern, name):
            return number
    return Number(re.escape(name), f"{name.replace('_', ' ')}, nats", tolerance=ONE_DRAW)


def nats_of(name: str) -> str:
    """Returns the name of the number in nats from which bits per dimension are computed."""
    return name.removesuffix("_bits_per_dim")


def words_of(text: str, name: str, test: dict) -> str:
    """Returns the `words` or `on_hubs` of a number, with its level in place of {}.

    Args:
        text: String, an attribute of a `Number`.
        name: String, the name of the number in `test`.
        test: Dict, the `test` part of a `metrics.json`.
    """
    match = re.fullmatch(number_of(name).pattern, name)
    groups = match.groups() if match else ()
    if "nats_per_code_2" not in test:  # there is only one level
        text = text.replace("nats per code of level {}", "nats per code")
    return text.format(*groups)


def rows(test: dict) -> list[tuple[str, str, str]]:
    """Returns `[(name, words, value)]` for the numbers in `test`, with values as text.

    They are in the order of the table, followed by those that are not in it.

    Args:
        test: Dict, the `test` part of a `metrics.json`.
    """
    numbers = {name: number_of(name) for name in test}
    order = {number: i for i, number in enumerate(NUMBERS)}
    found = []
    for name in sorted(test, key=lambda n: order.get(numbers[n], len(NUMBERS))):
        number = numbers[name]
        if number.is_shown:
            words = words_of(number.words, name, test)
            if (number.kind, number.direction) == ("nats", "max"):  # for other nats, less is better
                words = f"{words} (higher is better)"
            found.append((name, escaped(words), _value(test, name, number)))
    return found


def ranges(tests: list[dict]) -> dict[str, str]:
    """Returns `{name: text}` with the smallest and the largest value of each number.

    Args:
        tests: List of dicts, the `test` parts of runs of one recipe.
    """
    found = {}
    for name in tests[0]:
        number, values = number_of(name), [test[name] for test in tests if name in test]
        if number.is_shown and not isinstance(tests[0][name], list):  # a count for each level
            low, high = (f"{v:.{number.decimals}f}" for v in (min(values), max(values)))
            found[name] = low if low == high else f"{low} to {high}"
    return found


def headline(test: dict, recipe: Recipe | None = None) -> str:
    """Returns the main number of a preset for a table, as text: its NLL, or a substitute.

    Args:
        test: Dict, the `test` part of a `metrics.json`.
        recipe: `Recipe`, or `None` if it is unknown. It determines whether codes have a trained
            prior: without one each costs log K, which does not describe the model.
    """
    for name in HEADLINES:
        if name in test:
            number = number_of(name)
            has_prior = recipe is None or recipe.prior_training
            costs = _code_costs(test) if name == "mse_over_variance" and has_prior else ""
            return f"{number.headline.format(_value(test, name, number))}{costs}"
    return "none"


def _code_costs(test):
    """The cost of a code, or a list for several levels, beginning with that next to the data."""
    names = sorted(name for name in test if name.startswith("nats_per_code_"))
    costs = " and ".join(f"{test[name]:.2f}" for name in names)
    return f", {costs} nats/code" if costs else ""


def _value(test, name, number):
    if number.out_of:
        return _part(test[name], test[number.out_of])
    text = f"{test[name]:.{number.decimals}f}"
    nats = nats_of(name)
    error = test.get(f"{nats}_standard_error")
    if error is None:
        return text
    scale = test[name] / test[nats] if test[nats] else 1.0  # from nats to bits per dimension
    return f"{text} ± {scale * error:.{number.decimals}f}"


def _part(count, size):
    if isinstance(count, list):  # one number for each level
        return ", ".join(_part(*level) for level in zip(count, size, strict=True))
    return f"{count} of {size}"
