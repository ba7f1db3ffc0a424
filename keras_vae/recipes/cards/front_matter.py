"""The head of a card that model hubs read: YAML between two lines of dashes."""

import json

_METRICS = {
    "nll": "negative log-likelihood, nats per example",
    "elbo": "evidence lower bound, nats per example",
    "nll_bits_per_dim": "bits per dimension",
    "nll_bound": "bound on the negative log-likelihood, nats per example",
    "mse_over_variance": "squared error over the variance of the data",
    "nats_per_code_1": "nats per code",
    "nats_per_code_2": "nats per code, second level",
    "accuracy": "accuracy",
    "classifier_frechet_distance": "Frechet distance in the features of classifier_mnist",
}

_TASKS = {
    "classes": "image-classification",
    "completion": "image-to-image",
    "prediction": "image-to-image",
}


def front_matter(recipe, metrics):
    """Returns the YAML head of a card, as the Hugging Face hub reads it.

    Args:
        recipe: `Recipe`.
        metrics: dict, what its `metrics.json` holds.
    """
    data = recipe.data["name"].removesuffix(".npz")
    task = _TASKS.get(recipe.data.get("pairs"), "unconditional-image-generation")
    family = recipe.family.lower()
    test = metrics["test"]
    lines = [
        "---",
        "license: apache-2.0",
        "library_name: keras",
        f"pipeline_tag: {task}",
        f"tags: {_list('keras', 'keras_vae', family, 'generative-model')}",
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
        *(
            line
            for name, words in _METRICS.items()
            if name in test
            for line in _metric(name, words, test[name])
        ),
        "---",
    ]
    return "\n".join(lines)


def _metric(kind, name, value):
    return [f"    - type: {kind}", f"      name: {_text(name)}", f"      value: {value:.4f}"]


def _list(*words):
    return f"[{', '.join(map(_text, words))}]"


def _text(words):
    return json.dumps(words)  # JSON is YAML
