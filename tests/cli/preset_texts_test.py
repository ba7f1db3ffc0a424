import json

import pytest
from example_metrics import METRICS
from tiny_recipe import write_tiny_recipe

from keras_vae import recipes
from keras_vae.cli import preset_texts

pytestmark = pytest.mark.one_backend

TEST = {
    "elbo": -102.5,
    "nll": 96.338,
    "nll_standard_error": 0.741,
    "nll_bits_per_dim": 0.17728,
    "nll_num_samples": 5000,
    "num_examples": 10000,
    "active_units": 19,
    "latent_dim": 20,
}


def test_summary_by_hand():
    words = {
        "NLL, nats per example": "96.34 +- 0.74",
        "NLL, bits per dimension": "0.1773 +- 0.0014",
        "ELBO, nats (higher is better)": "-102.50",
        "active units": "19 of 20",
        "test examples": "10,000",
        "draws each for the NLL": "5,000",
    }
    assert preset_texts.summary(TEST).splitlines() == [
        f"{name:<29}  {value}" for name, value in words.items()
    ]


def test_a_folder_with_both_texts(tmp_path):
    path = write_tiny_recipe(tmp_path)
    (path.parent / "metrics.json").write_text(json.dumps(METRICS))
    assert preset_texts.read_recipe(path.parent) == recipes.read_recipe(path)
    assert preset_texts.read_metrics(path.parent) == METRICS


def test_a_folder_without(tmp_path):
    assert preset_texts.read_recipe(tmp_path) is None
    assert preset_texts.read_metrics(tmp_path) is None


def test_text():
    assert preset_texts.plain("1 ± 2") == "1 +- 2"
    assert preset_texts.indented("a\nb") == "  a\n  b"
