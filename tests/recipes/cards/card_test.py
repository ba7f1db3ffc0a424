import pytest
from example_metrics import METRICS
from tiny_recipe import OF_CODES
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

from keras_vae.recipes import duration
from keras_vae.recipes import write_card

pytestmark = pytest.mark.one_backend


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
        "| NLL, nats per example | 21.13 ± 0.51 | 12.5 |",
        "| updates | 1,234 |",
        "| training, wall-clock time | 43 s |",
        "| training, CPU time | 12 min |",
        "| hardware | 2 cores of Abacus |",
        "| software | keras_vae 0.1.0, Keras 3.15.1 on jax, Python 3.11.7 |",
        "KERAS_BACKEND=jax python zoo/train.py tiny --data-dir FOLDER_OF_THE_DATA",
        "None that a test would notice.",
    ],
)
def test_what_it_says(card, line):
    assert line in card().splitlines()


def test_how_the_data_were_made(card):
    assert "test pictures once, with seed 1." in card()


def test_what_is_not_there_is_not_said(card):
    text = card(TEXT.replace('"dynamic"', '"fixed"').split("[[published]]")[0])
    assert "anew each time" not in text
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


def test_a_card_of_codes(card, tmp_path):
    numbers = {"num_examples": 10, "elbo": 820.0, "nll_bound": -820.0, "nats_per_code_1": 1.02}
    card()
    for name in ("samples.png", "curves_prior_1.png"):
        (tmp_path / "tiny" / name).touch()
    text = card(OF_CODES, METRICS | {"test": numbers})
    assert "| second stage, epochs of the prior | 2 |" in text.splitlines()
    assert "codes of level 1.](curves_prior_1.png)" in text


def test_a_card_for_elsewhere_names_that_place(tmp_path):
    recipe = read_tiny_recipe(tmp_path)
    text = write_card(recipe, METRICS, tmp_path, source="hf://me/tiny")
    assert 'from_preset("hf://me/tiny")' in text
    assert "KERAS_BACKEND=jax keras-vae train recipe.toml --data-dir" in text
    assert "zoo/train.py" not in text


@pytest.mark.parametrize(
    "seconds, words",
    [(0.4, "0 s"), (99, "99 s"), (150, "2 min"), (5400, "90 min"), (9000, "2.5 h")],
)
def test_duration(seconds, words):
    assert duration(seconds) == words
