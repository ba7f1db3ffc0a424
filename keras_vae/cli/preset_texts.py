"""The text files in a preset's or run's folder, and its numbers as lines for a terminal."""

import json
import textwrap
from pathlib import Path

from keras_vae.presets.finding import RECIPE
from keras_vae.recipes import recipe
from keras_vae.recipes.cards.card_numbers import METRICS
from keras_vae.recipes.cards.numbers import rows


def read_recipe(folder: Path) -> recipe.Recipe | None:
    """Returns the `Recipe` in a preset's or run's folder, or `None`."""
    path = folder / RECIPE
    return recipe.read_recipe(path) if path.exists() else None


def read_metrics(folder: Path) -> dict | None:
    """Returns the content of `metrics.json` in a preset's or run's folder, or `None`."""
    path = folder / METRICS
    return json.loads(path.read_text()) if path.exists() else None


def summary(test: dict) -> str:
    """Returns the numbers of `recipes.measure` as lines of text."""
    lines = [(words.replace("\\|", "|"), plain(value)) for _, words, value in rows(test)]
    lines.append(("test examples", f"{test['num_examples']:,}"))
    if test.get("nll_num_samples", 1) > 1:
        lines.append(("draws each for the NLL", f"{test['nll_num_samples']:,}"))
    width = max(len(words) for words, _ in lines)
    return "\n".join(f"{words:<{width}}  {value}" for words, value in lines)


def plain(value: str) -> str:
    """Returns a number's text in characters that every terminal can show."""
    return value.replace("±", "+-")


def indented(text: str) -> str:
    """Returns text indented by two columns."""
    return textwrap.indent(text, "  ")
