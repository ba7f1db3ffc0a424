import pytest

from keras_vae.recipes import headline
from keras_vae.recipes import rows


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
        ("nll_2_seen", "NLL of the rest, 2 of 4 quadrants seen, nats", "40.12"),
        ("kl_2", "KL of level 2, nats", "1.50"),
        ("kl_1", "KL of level 1, nats", "20.25"),
        ("accuracy", "accuracy", "0.9912"),
        ("active_units", "active units", "3 of 50"),
    ]


@pytest.mark.parametrize("name", ["nll", "nll_bits_per_dim"])
def test_no_error_without_a_standard_error(name):
    ((_, _, value),) = rows({name: 1.0})
    assert "±" not in value


def test_a_headline_is_the_nll_or_the_accuracy():
    assert headline({"nll": 80.0, "nll_standard_error": 0.5}) == "80.00 ± 0.50"
    assert headline({"nll": 0.04, "accuracy": 0.991}) == "accuracy 0.9910"
    assert headline({"reconstruction": 60.0}) == "none"
