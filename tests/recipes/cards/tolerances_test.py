import math

import pytest
from tiny_recipe import OF_CODES
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

from keras_vae.recipes.cards.tolerances import compare
from keras_vae.recipes.cards.tolerances import tolerance

pytestmark = pytest.mark.one_backend

TEST = {
    "elbo": -90.0,
    "kl": 26.0,
    "nll": 86.5,
    "nll_standard_error": 0.2,
    "nll_bits_per_dim": 0.1593,
    "png_bits_per_dim": 5.75,
    "nll_num_samples": 5000,
    "nll_seconds": 300.0,
    "num_examples": 10000,
    "active_units": 22,
    "usage": 0.99,
}
VAMP = '[prior]\nclass = "VampPrior"\nnum_components = 4\n\n[model]'
ONE_DRAW = 4 * 8 * math.sqrt(2) / 100  # of 10,000 examples


@pytest.fixture
def recipe(tmp_path):
    return read_tiny_recipe(tmp_path)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("kl", 0.026),
        ("elbo", ONE_DRAW),
        ("nll", 4 * 1.5 * math.sqrt(2) / 100),
        ("nll_bits_per_dim", 0.1593 / 86.5 * 4 * 1.5 * math.sqrt(2) / 100),
        ("png_bits_per_dim", 0.005751),
        ("nll_standard_error", 0.01),
        ("active_units", 0),
        ("num_examples", 0),
        ("usage", 0.01),
    ],
)
def test_by_hand(recipe, name, expected):
    assert tolerance(name, TEST, recipe) == pytest.approx(expected, rel=1e-4)


def test_a_kl_without_closed_form_has_draws(tmp_path):
    recipe = read_tiny_recipe(tmp_path, TEXT.replace("[model]", VAMP))
    assert tolerance("kl", TEST, recipe) == pytest.approx(ONE_DRAW)


def test_likelihoods_of_grey_levels_spread_more(tmp_path):
    grey = '[likelihood]\nclass = "DiscretizedLogisticLikelihood"\n\n[model]'
    recipe = read_tiny_recipe(tmp_path, TEXT.replace("[model]", grey))
    assert tolerance("elbo", TEST, recipe) == pytest.approx(3 * ONE_DRAW)
    assert tolerance("kl", TEST, recipe) == pytest.approx(0.026, rel=1e-4)  # in closed form


@pytest.mark.parametrize("family, is_drawn", [("PixelCNN", False), ("VAE", True)])
def test_an_exact_nll_has_none(tmp_path, family, is_drawn):
    recipe = read_tiny_recipe(tmp_path, TEXT.replace('"VAE"', f'"{family}"'))
    exact = pytest.approx(0.0865, rel=1e-4)
    assert (tolerance("nll", TEST | {"nll_num_samples": 1}, recipe) != exact) == is_drawn


def test_only_the_draws_of_a_deterministic_autoencoder_have_noise(tmp_path):
    recipe = read_tiny_recipe(tmp_path, TEXT.replace('"VAE"', '"AAE"'))
    test = {"reconstruction": 60.0, "discriminator": 1.3, "num_examples": 10000}
    assert tolerance("reconstruction", test, recipe) == pytest.approx(0.06, rel=1e-4)
    assert tolerance("discriminator", test, recipe) == pytest.approx(4 * math.sqrt(2) / 100)


def test_the_kl_of_an_importance_weighted_autoencoder_is_drawn(tmp_path):
    recipe = read_tiny_recipe(tmp_path, TEXT.replace('"VAE"', '"IWAE"'))
    assert tolerance("kl", TEST, recipe) == pytest.approx(ONE_DRAW)


def test_a_number_that_no_row_is_of_may_be_drawn(recipe, tmp_path):
    test = TEST | {"sparsity": 10.0}
    assert tolerance("sparsity", test, recipe) == pytest.approx(ONE_DRAW)
    of_codes = read_tiny_recipe(tmp_path, OF_CODES)
    assert tolerance("sparsity", test, of_codes) == pytest.approx(0.01, rel=1e-4)


def test_nor_have_the_bounds_of_codes(tmp_path):
    recipe = read_tiny_recipe(tmp_path, OF_CODES)
    test = {"elbo": 820.0, "nll_bound": -820.0, "kl": 50.0, "num_examples": 10000}
    for name in ("elbo", "nll_bound", "kl"):
        assert tolerance(name, test, recipe) == pytest.approx(1e-3 * abs(test[name]), rel=1e-4)


def differing(recipe, **changes):
    return [name for name, *_, is_within in compare(TEST, TEST | changes, recipe) if not is_within]


def test_what_differs(recipe):
    assert differing(recipe) == []
    assert differing(recipe, nll_seconds=1.0) == []
    assert differing(recipe, kl=26.02, nll=86.58, elbo=-90.4) == []
    assert differing(recipe, kl=26.03, nll=86.6, elbo=-90.5) == ["elbo", "kl", "nll"]
    assert differing(recipe, active_units=23, kl=math.nan) == ["kl", "active_units"]
    assert differing(recipe, new=1.0) == ["new"]
    assert differing(recipe, nll=None) == ["nll"]


def test_levels(recipe):
    for again, is_within in ([3, 4], True), ([3, 5], False):
        ((*_, found),) = compare({"active_units": [3, 4]}, {"active_units": again}, recipe)
        assert found == is_within
