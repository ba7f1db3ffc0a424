"""The front matter of a card, for model hubs: YAML between two lines of dashes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from keras_vae.recipes.cards.numbers import NUMBERS
from keras_vae.recipes.cards.numbers import number_of
from keras_vae.recipes.cards.numbers import words_of

if TYPE_CHECKING:
    from keras_vae.recipes.recipe import Recipe


def front_matter(recipe: Recipe, metrics: dict) -> str:
    """Returns the YAML front matter of a card, for the Hugging Face hub.

    Args:
        recipe: `Recipe`.
        metrics: Dict, the contents of its `metrics.json`.
    """
    data = recipe.data["name"].removesuffix(".npz").removesuffix(".csv")
    task = recipe.kind.task(recipe)
    family = recipe.family.rpartition(">")[-1].lower()
    lines = [
        "---",
        "license: apache-2.0",
        "library_name: keras_vae",  # otherwise a hub would suggest loading it with Keras alone
        f"pipeline_tag: {task}",
        f"tags: {_list('keras_vae', family, 'generative-model')}",
        f"datasets: {_list(data)}",
        "model-index:",
        f"- name: {_text(recipe.name)}",
        "  results:",
        "  - task:",
        f"      type: {task}",
        "    dataset:",
        f"      name: {_text(data)}",
        f"      type: {_text(data)}",
        "      split: test",
        "    metrics:",
        *_metrics(metrics["test"]),
        "---",
    ]
    return "\n".join(lines)


def _metrics(test):
    """Lines with the numbers for hubs, in the order of the table."""
    told = [name for name in test if number_of(name).on_hubs]
    for name in sorted(told, key=lambda name: NUMBERS.index(number_of(name))):
        words = words_of(number_of(name).on_hubs, name, test)
        yield f"    - type: {name}"
        yield f"      name: {_text(words)}"
        yield f"      value: {test[name]:.4f}"


def _list(*words):
    return f"[{', '.join(map(_text, words))}]"


def _text(words):
    return json.dumps(words)  # JSON is YAML
