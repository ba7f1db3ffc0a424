import re

import pytest

from keras_vae.recipes import headline
from keras_vae.recipes import rows
from keras_vae.recipes.cards.numbers import HEADLINES
from keras_vae.recipes.cards.numbers import NUMBERS
from keras_vae.recipes.recipe import Recipe

pytestmark = pytest.mark.one_backend


def test_numbers_in_words_in_the_order_of_a_card():
    test = {
        "kl_2": 1.5,
        "kl_1": 20.25,
        "nll": 80.0,
        "nll_standard_error": 0.5,
        "nll_bits_per_dim": 0.2,
        "nll_2_seen": 40.123,
        "accuracy": 0.99125,
        "active_units": 3,
        "latent_dim": 50,
        "num_examples": 10,
    }
    assert rows(test) == [
        ("nll", "NLL, nats per example", "80.00 ± 0.50"),
        ("nll_bits_per_dim", "NLL, bits per dimension", "0.2000 ± 0.0013"),  # 0.5 * 0.2 / 80
        ("nll_2_seen", "NLL of the hidden quadrants, 2 of 4 seen, nats", "40.12"),
        ("kl_2", "KL of level 2, nats", "1.50"),
        ("kl_1", "KL of level 1, nats", "20.25"),
        ("accuracy", "accuracy", "0.9912"),
        ("active_units", "active units", "3 of 50"),
    ]


def test_a_number_that_no_row_is_of_comes_last():
    assert [row[1:] for row in rows({"total_correlation": 1.25, "kl": 3.0})] == [
        ("KL(q(z\\|x), p(z)), nats", "3.00"),
        ("total correlation, nats", "1.25"),
    ]


def test_settings_and_times_are_not_shown():
    assert rows({"num_examples": 10, "latent_dim": 2, "nll_seconds": 1.0, "codebook": 1.0}) == []


def test_no_two_rows_are_of_one_name():
    for number in NUMBERS:
        name = re.sub(r"\(\\d\+?\)", "1", number.pattern)
        name = name.replace(r"(\w+)", "classifier").replace("(.+)", "elbo")
        assert [n for n in NUMBERS if re.fullmatch(n.pattern, name)] == [number]


def test_every_headline_is_a_number_of_the_table():
    told = {number.pattern for number in NUMBERS if number.headline}
    assert told == set(HEADLINES)


@pytest.mark.parametrize("name", ["nll", "nll_bits_per_dim", "nll_bound", "elbo"])
def test_no_error_without_a_standard_error(name):
    ((_, _, value),) = rows({name: 1.0})
    assert "±" not in value


def test_numbers_of_codes():
    test = {
        "nll_bound": -820.0,
        "nll_bound_standard_error": 2.05,
        "nll_bound_bits_per_dim": -1.5,
        "usage": 0.9921875,
        "perplexity": 81.25,
        "mse_over_variance": 0.0351,
        "nats_per_code_1": 1.0249,
    }
    assert rows(test) == [
        ("nll_bound", "bound on the NLL, nats", "-820.00 ± 2.05"),
        # 2.05 * 1.5 / 820
        ("nll_bound_bits_per_dim", "bound on the NLL, bits per dimension", "-1.5000 ± 0.0037"),
        ("mse_over_variance", "squared error over the variance of the data", "0.0351"),
        ("nats_per_code_1", "nats per code", "1.0249"),
        ("usage", "fraction of the codes used in the test set", "0.9922"),
        ("perplexity", "perplexity of the codes", "81.2"),
    ]


def test_levels_of_codes_are_told_apart():
    test = {"nats_per_code_1": 1.0, "nats_per_code_2": 2.0, "usage_2": 1.0}
    assert [words for _, words, _ in rows(test)] == [
        "nats per code of level 1",
        "nats per code of level 2",
        "fraction of the codes of level 2 used in the test set",
    ]


def test_a_headline_is_the_nll_or_what_stands_for_it():
    assert headline({"nll": 80.0, "nll_standard_error": 0.5}) == "80.00 ± 0.50"
    assert headline({"nll": 0.04, "accuracy": 0.991}) == "accuracy 0.9910"
    assert headline({"reconstruction": 60.0}) == "none"
    codes = {"nll_bound": -820.0, "mse_over_variance": 0.0351, "nats_per_code_1": 1.0249}
    assert headline(codes) == "MSE/variance 0.0351, 1.02 nats/code"
    levels = {"mse_over_variance": 0.02, "nats_per_code_1": 1.0, "nats_per_code_2": 2.456}
    assert headline(levels) == "MSE/variance 0.0200, 1.00 and 2.46 nats/code"
    for has_prior, more in ((False, ""), (True, ", 1.02 nats/code")):
        recipe = Recipe("", "", {}, {}, {}, {}, prior_training={"epochs": 1} if has_prior else {})
        assert headline(codes, recipe) == f"MSE/variance 0.0351{more}"
    adversarial = {"reconstruction": 81.6, "classifier_frechet_distance": 16.646}
    assert headline(adversarial) == "Frechet distance 16.65"
