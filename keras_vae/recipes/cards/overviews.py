"""Tables of the whole zoo: the one in `zoo/README.md`, and the short one in the main README."""

from collections.abc import Iterable
from pathlib import Path

from keras_vae.recipes.cards.markdown import table
from keras_vae.recipes.cards.numbers import headline
from keras_vae.recipes.cards.published import sources_told
from keras_vae.recipes.cards.published import told

_CARD, _RECIPE = "README.md", "recipe.toml"


def overview(entries: Iterable) -> str:
    """Returns the table of the zoo, with a row for each preset.

    Args:
        entries: List of pairs of a `Recipe` and its metrics, or `None` if it is untrained.
    """
    header = ["preset", "family", "data", "parameters", "test NLL, nats", "bits/dim", "published"]
    return table(header, [_row(*entry) for entry in entries], num_words=3)


def short_overview(entries: Iterable, folder: str | Path = "zoo") -> str:
    """Returns the table of the trained presets, each with its own number and the paper's.

    Args:
        entries: List of pairs of a `Recipe` and its metrics, or `None` if it is untrained; these
            are left out.
        folder: String, the folder of the presets, relative to the file that contains the table.
    """
    header = ["preset", "family", "test NLL, nats", "published (by whom: on the card)"]
    return table(header, [_short_row(r, m, folder) for r, m in entries if m], num_words=2)


def _short_row(recipe, metrics, folder):
    name = _link(recipe.name, f"{folder}/{recipe.name}/{_CARD}")
    published = "; ".join(told(entry) for entry in recipe.published)
    return [name, recipe.family, headline(metrics["test"], recipe), published]


def _row(recipe, metrics):
    name = _link(recipe.name, f"{recipe.name}/{_CARD if metrics else _RECIPE}")
    row, published = [name, recipe.family, recipe.data["name"]], sources_told(recipe)
    if not metrics:
        state = "not trained yet" + " (needs a GPU)" * (recipe.device == "gpu")
        return [*row, "", state, "", published]
    test, count = metrics["test"], f"{metrics['training']['num_parameters']:,}"
    is_of_pictures = "nll_bits_per_dim" in test and "accuracy" not in test
    bits = f"{test['nll_bits_per_dim']:.3f}" if is_of_pictures else ""
    return [*row, count, headline(test, recipe), bits, published]


def _link(name, path):
    return f"[{name}]({path})"
