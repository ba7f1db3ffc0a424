import json

import numpy as np
import pytest
from tiny_recipe import write_tiny_preset

import keras_vae
from keras_vae import datasets
from keras_vae.cli.main import main

pytestmark = pytest.mark.one_backend


@pytest.fixture
def preset(tmp_path, monkeypatch):
    """The folder `tiny` in the working directory: a recipe, and its model, untrained."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KERAS_VAE_DATA_DIR", raising=False)
    return write_tiny_preset(tmp_path)


@pytest.fixture
def model(preset):
    return keras_vae.VAE.from_preset(preset)


def measured(*arguments):
    assert main(["evaluate", "tiny", *arguments, "--output", "numbers/of_test.json"]) == 0
    with open("numbers/of_test.json") as file:
        return json.load(file)["test"]


def test_evaluate_takes_the_recipes_data_and_draws(model):
    x = datasets.binarize(datasets.load("tiny.npz").test.x, seed=1)
    expected = -model.log_likelihood(x, num_samples=3, seed=1)
    numbers = measured()
    assert numbers["nll"] == pytest.approx(expected.mean(), rel=1e-6)
    assert (numbers["num_examples"], numbers["nll_num_samples"]) == (10, 3)


def test_evaluate_with_other_draws_and_examples(model):
    x = datasets.binarize(datasets.load("tiny.npz").test.x, seed=7)[:4]
    expected = -model.log_likelihood(x, num_samples=20, seed=7)
    numbers = measured("--seed", "7", "--num-samples", "20", "--num-examples", "4")
    assert numbers["nll"] == pytest.approx(expected.mean(), rel=1e-6)
    assert (numbers["num_examples"], numbers["nll_num_samples"]) == (4, 20)


@pytest.mark.parametrize("has_recipe", [True, False])
def test_evaluate_other_data(preset, model, has_recipe):
    """A dynamic recipe draws them black and white; without a recipe they are taken as they are."""
    grey = np.random.default_rng(3).integers(0, 256, (30, 6, 5), dtype="uint8")
    np.savez("other.npz", x_train=grey[:25], x_test=grey[25:])
    x = (grey[25:, ..., None] / 255).astype("float32")
    if has_recipe:
        x = datasets.binarize(x, seed=1)
    else:
        (preset / "recipe.toml").unlink()
    expected = -model.log_likelihood(x, num_samples=5, seed=1).mean()
    numbers = measured("--data", "other.npz", "--num-samples", "5", "--seed", "1")
    assert numbers["num_examples"] == 5
    assert numbers["nll"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            ["--full", "--num-samples", "3", "--seed", "1"],
            "cannot be combined with --num-samples, --seed",
        ),
        (["--full", "--data", "other.npz"], "cannot be combined with --data."),
        (["--record"], "--record needs --full"),
    ],
)
def test_options_that_do_not_go_together(preset, capsys, arguments, message):
    assert main(["evaluate", "tiny", *arguments]) == 2
    assert message in capsys.readouterr().err
