"""The head of a card that model hubs read: YAML between two lines of dashes."""

import json


def front_matter(recipe, metrics):
    """Returns the YAML head of a card, as the Hugging Face hub reads it.

    Args:
        recipe: `Recipe`.
        metrics: dict, what its `metrics.json` holds.
    """
    data = recipe.data["name"].removesuffix(".npz")
    family = recipe.model["class"].lower()
    test = metrics["test"]
    lines = [
        "---",
        "license: apache-2.0",
        "library_name: keras",
        "pipeline_tag: unconditional-image-generation",
        f"tags: {_list('keras', 'keras_vae', family, 'generative-model')}",
        f"datasets: {_list(data)}",
        "model-index:",
        f"- name: {_text(recipe.name)}",
        "  results:",
        "  - task:",
        "      type: unconditional-image-generation",
        "    dataset:",
        f"      name: {_text(data)}",
        f"      type: {_text(data)}",
        "      split: test",
        "    metrics:",
        *_metric("nll", "negative log-likelihood, nats per example", test["nll"]),
        *_metric("elbo", "evidence lower bound, nats per example", test["elbo"]),
        *_metric("bits_per_dim", "bits per dimension", test["nll_bits_per_dim"]),
        "---",
    ]
    return "\n".join(lines)


def _metric(kind, name, value):
    return [f"    - type: {kind}", f"      name: {_text(name)}", f"      value: {value:.4f}"]


def _list(*words):
    return f"[{', '.join(map(_text, words))}]"


def _text(words):
    return json.dumps(words)  # JSON is YAML
