"""Numbers from papers, as listed under `[[published]]` in a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_vae.recipes.cards.markdown import escaped

if TYPE_CHECKING:
    from keras_vae.recipes.recipe import Recipe

# Key of `[[published]]` -> the number in `metrics.json` that it compares with, and its unit.
KEYS = {
    "nll": ("nll", "{} nats"),
    "bits_per_dim": ("nll_bits_per_dim", "{} bits/dim"),
    "mse_over_variance": ("mse_over_variance", "MSE/variance {}"),
    "nats_per_code": ("nats_per_code_1", "{} nats/code"),
}


def has_number(entry: dict) -> bool:
    """Whether a published entry has a number, and not only words."""
    return bool(KEYS.keys() & entry.keys())


def numbers(entry: dict) -> dict[str, str]:
    """Returns `{name in metrics.json: text}` of a published entry's numbers."""
    return {name: str(entry[key]) for key, (name, _) in KEYS.items() if key in entry}


def told(entry: dict) -> str:
    """Returns the number of a published entry with its unit, or the words that replace it."""
    values = [unit.format(entry[key]) for key, (_, unit) in KEYS.items() if key in entry]
    return escaped(", ".join(values) or entry.get("protocol", "n/a"))


def sources_told(recipe: Recipe) -> str:
    """Returns the published numbers of a recipe, each with its source, for a cell of a table."""
    texts = [f"{told(entry)} ({escaped(entry['source'])})" for entry in recipe.published]
    return "; ".join(texts) or "none"
