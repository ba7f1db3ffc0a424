import pytest
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

from keras_vae.recipes.cards import published

pytestmark = pytest.mark.one_backend

ENTRIES = {
    "nats": ({"nll": 82.5}, {"nll": "82.5"}, "82.5 nats"),
    "bits": ({"bits_per_dim": 2.9}, {"nll_bits_per_dim": "2.9"}, "2.9 bits/dim"),
    "codes": (
        {"mse_over_variance": 0.0444, "nats_per_code": 1.0336},
        {"mse_over_variance": "0.0444", "nats_per_code_1": "1.0336"},
        "MSE/variance 0.0444, 1.0336 nats/code",
    ),
    "words": ({"protocol": "half of p(z|y)"}, {}, "half of p(z\\|y)"),
    "nothing": ({}, {}, "n/a"),
}


@pytest.mark.parametrize("entry, numbers, told", ENTRIES.values(), ids=ENTRIES)
def test_by_hand(entry, numbers, told):
    assert published.has_number(entry) == bool(numbers)
    assert published.numbers(entry) == numbers
    assert published.told(entry) == told


def test_sources(tmp_path):
    more = '\n[[published]]\nbits_per_dim = 3.5\nsource = "Nobody | 2000"\n'
    recipe = read_tiny_recipe(tmp_path, TEXT + more)
    found = published.sources_told(recipe)
    assert found == "12.5 nats (Nobody 1999); 3.5 bits/dim (Nobody \\| 2000)"
    without = read_tiny_recipe(tmp_path, TEXT.split("[[published]]")[0])
    assert published.sources_told(without) == "none"
