"""The numbers of `metrics.json` in words, for cards and the command line."""

import re

# Name in `metrics.json` (a pattern) -> what it is, and its decimals. In the order of a card.
_NAMES = {
    r"nll": ("NLL, nats per example", 2),
    r"nll_bits_per_dim": ("NLL, bits per dimension", 4),
    r"nll_bound": ("bound on the NLL, nats", 2),
    r"nll_bound_bits_per_dim": ("bound on the NLL, bits per dimension", 4),
    r"nll_per_code": ("NLL, nats per element", 4),
    r"nll_(\d)_seen": ("NLL of the rest, {} of 4 quadrants seen, nats", 2),
    r"nll_by_prior_(\d)_seen": ("the same by draws from the prior, {} seen, nats", 2),
    r"elbo": ("ELBO, nats (higher is better)", 2),
    r"reconstruction": ("reconstruction, -E[log p(x\\|z)], nats", 2),
    r"kl": ("KL(q(z\\|x), p(z)), nats", 2),
    r"kl_(\d+)": ("KL of level {}, nats", 2),
    r"adversarial": ("-log D(z) of codes, nats", 2),
    r"discriminator_accuracy": ("codes and draws that the discriminator tells apart", 3),
    r"accuracy": ("accuracy", 4),
    r"mse_over_variance": ("squared error over the variance of the data", 4),
    r"nats_per_code_(\d)": ("nats per code of level {}", 4),
    r"usage": ("share of the codes that occurs in the test set", 4),
    r"usage_(\d)": ("share of the codes of level {} that occurs in the test set", 4),
    r"perplexity": ("perplexity of the codes", 1),
    r"perplexity_(\d)": ("perplexity of the codes of level {}", 1),
    r"active_units": ("active units", 0),
    r"aggregate_largest_mean": ("codes of the test set: largest absolute mean of a dimension", 3),
    r"aggregate_smallest_std": ("smallest standard deviation of a dimension", 3),
    r"aggregate_largest_std": ("largest standard deviation of a dimension", 3),
    r"classifier_frechet_distance": ("Frechet distance of samples, features of the classifier", 2),
    r"samples_classified_as_their_label": ("samples classified as their label", 4),
}


def rows(test):
    """Returns `[(name, words, value)]` of the numbers that `test` has, values as text.

    Args:
        test: dict, the `test` part of a `metrics.json`.
    """
    found = []
    for pattern, (words, decimals) in _NAMES.items():
        for name in test:
            if match := re.fullmatch(pattern, name):
                words_ = _words(words, match.groups(), test)
                found.append((name, words_, _value(test, name, decimals)))
    return found


def headline(test, recipe=None):
    """Returns the one number of a preset for a table, as text: its NLL, or what stands for it.

    Args:
        test: dict, the `test` part of a `metrics.json`.
        recipe: `Recipe`, or `None` where it is unknown. It says whether codes have a prior that
            was trained: without one each costs log K, which is no number of the model.
    """
    values = {name: value for name, _, value in rows(test)}
    if "accuracy" in values:
        return f"accuracy {values['accuracy']}"
    if "mse_over_variance" in values:
        has_prior = recipe is None or recipe.prior_training
        costs = _code_costs(test) if has_prior else ""
        return f"MSE/variance {values['mse_over_variance']}{costs}"
    if "nll" not in values and "classifier_frechet_distance" in values:
        return f"Frechet distance {values['classifier_frechet_distance']}"
    return values.get("nll", "none")


def _code_costs(test):
    """What a code costs, of several levels each, that next to the data first."""
    names = sorted(name for name in test if name.startswith("nats_per_code_"))
    costs = " and ".join(f"{test[name]:.2f}" for name in names)
    return f", {costs} nats/code" if costs else ""


def _words(words, groups, test):
    if "nats_per_code_2" not in test:  # there is but one level
        words = words.replace("nats per code of level {}", "nats per code")
    return words.format(*groups)


def _value(test, name, decimals):
    if name == "active_units":
        active, size = test[name], test["latent_dim"]
        if isinstance(active, list):  # one number a level
            return ", ".join(f"{a} of {s}" for a, s in zip(active, size, strict=True))
        return f"{active} of {size}"
    text = f"{test[name]:.{decimals}f}"
    kind = name.removesuffix("_bits_per_dim")
    error = test.get(f"{kind}_standard_error")
    if error is None:
        return text
    scale = test[name] / test[kind] if test[kind] else 1.0  # of bits per dimension, from nats
    return f"{text} ± {scale * error:.{decimals}f}"
