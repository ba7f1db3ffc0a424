import pytest
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

from keras_vae.recipes import duration
from keras_vae.recipes import overview
from keras_vae.recipes import write_card
from keras_vae.recipes.card import table

METRICS = {
    "preset": "tiny",
    "test": {
        "elbo": -22.5,
        "reconstruction": 20.25,
        "kl": 2.25,
        "nll": 21.126,
        "nll_standard_error": 0.514,
        "nll_bits_per_dim": 1.01594,
        "nll_num_samples": 5000,
        "nll_seconds": 3.2,
        "num_examples": 10000,
        "active_units": 1,
        "latent_dim": 2,
    },
    "training": {
        "epochs": 4,
        "updates": 1234,
        "seed": 0,
        "num_parameters": 306,
        "num_examples": 24,
        "wall_seconds": 43.4,
        "cpu_seconds": 721.0,
    },
    "environment": {
        "date": "2026-01-02",
        "backend": "jax",
        "keras": "3.15.1",
        "keras_vae": "0.1.0",
        "python": "3.11.7",
        "processor": "Abacus",
        "cores": 2,
    },
}


@pytest.fixture
def card(tmp_path):
    """A function that writes the card of the tiny recipe and returns its text."""

    def write(text=TEXT, metrics=METRICS):
        return write_card(read_tiny_recipe(tmp_path, text), metrics, tmp_path / "tiny")

    return write


def test_it_is_written_and_the_same_again(card, tmp_path):
    text = card()
    assert (tmp_path / "tiny" / "README.md").read_text() == text == card()


@pytest.mark.parametrize(
    "line",
    [
        "A tiny VAE.",
        "| test set | this preset | Nobody 1999 |",
        "| NLL, nats per example | 21.13 ± 0.51 | 12.5 |",
        "| NLL, bits per dimension | 1.0159 ± 0.0247 |  |",
        "| ELBO, nats (higher is better) | -22.50 |  |",
        "| active units | 1 of 2 |  |",
        "- Nobody 1999: made up.",
        "| updates | 1,234 |",
        "| training, wall clock | 43 s |",
        "| training, processor time | 12 min |",
        "| hardware | 2 cores of Abacus |",
        "| software | keras_vae 0.1.0, Keras 3.15.1 on jax, Python 3.11.7 |",
        "KERAS_BACKEND=jax python zoo/train.py tiny --data-dir FOLDER_OF_THE_DATA",
        "None that a test would notice.",
    ],
)
def test_what_it_says(card, line):
    assert line in card().splitlines()


def test_how_the_number_was_measured(card):
    text = card()
    assert "10,000 test examples. NLL by importance sampling with 5,000 draws" in text
    assert "seed 1. ± is the standard error" in text
    assert "test pictures once, with seed 1." in text


def test_what_is_not_there_is_not_said(card):
    text = card(TEXT.replace('"dynamic"', '"fixed"').split("[[published]]")[0])
    assert "anew at every use" not in text
    assert "There is no published number to compare with." in text
    assert "](samples.png)" not in text


def test_the_pictures_that_are_there_are_shown(card, tmp_path):
    card()
    for name in ("samples.png", "curves.png"):
        (tmp_path / "tiny" / name).touch()
    text = card()
    assert "](samples.png)" in text
    assert "](curves.png)" in text
    assert "](reconstructions.png)" not in text


def test_what_newer_metrics_tell(card):
    environment = METRICS["environment"] | {"backend_version": "0.10.2"}
    data = {"shape": [6, 5, 1], "description": "Drawn by a test."}
    text = card(metrics=METRICS | {"environment": environment, "data": data})
    assert "Keras 3.15.1 on jax 0.10.2," in text
    assert "Drawn by a test." in text


def test_overview(tmp_path):
    recipe = read_tiny_recipe(tmp_path)
    _, _, trained, untrained = overview([(recipe, METRICS), (recipe, None)]).splitlines()
    assert trained == (
        "| [tiny](tiny/README.md) | VAE | tiny.npz | 306 | 21.13 ± 0.51 | 1.016 "
        "| 12.5 nats (Nobody 1999) |"
    )
    assert untrained == (
        "| [tiny](tiny/recipe.toml) | VAE | tiny.npz |  | not trained yet |  "
        "| 12.5 nats (Nobody 1999) |"
    )


def test_table():
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


@pytest.mark.parametrize(
    "seconds, words",
    [(0.4, "0 s"), (99, "99 s"), (150, "2 min"), (5400, "90 min"), (9000, "2.5 h")],
)
def test_duration(seconds, words):
    assert duration(seconds) == words
