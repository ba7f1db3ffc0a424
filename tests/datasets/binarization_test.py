import numpy as np
import pytest

from keras_vae.datasets.binarization import binarize

pytestmark = pytest.mark.one_backend


def test_pixels_are_drawn_with_their_grey_value_as_probability():
    grey = np.linspace(0, 1, 6, dtype="float32")
    drawn = binarize(np.tile(grey, (200_000, 1)), seed=3)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    # Five standard errors of a mean of 200,000 fair draws.
    np.testing.assert_allclose(drawn.mean(axis=0), grey, atol=5 * 0.5 / np.sqrt(200_000))


def test_black_stays_black_and_white_stays_white():
    np.testing.assert_array_equal(binarize(np.zeros((500, 784)), seed=0), 0)
    np.testing.assert_array_equal(binarize(np.ones((500, 784)), seed=0), 1)


def test_neighbouring_pixels_are_independent():
    drawn = binarize(np.full((100_000, 2), 0.5), seed=1)
    both = np.mean(drawn[:, 0] * drawn[:, 1])
    assert both == pytest.approx(0.25, abs=0.01)


def test_a_seed_gives_the_same_picture_on_every_machine():
    half = np.full(16, 0.5, dtype="float32")
    expected = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0]
    np.testing.assert_array_equal(binarize(half, seed=7), expected)
    assert not np.array_equal(binarize(half, seed=8), expected)


def test_global_seeds_have_no_say_and_the_argument_is_untouched():
    x = np.full(1000, 0.3)
    np.random.seed(0)
    first = binarize(x, seed=5)
    np.random.seed(1)
    np.testing.assert_array_equal(first, binarize(x, seed=5))
    np.testing.assert_array_equal(x, 0.3)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, 255.0, np.nan])
def test_values_that_are_no_probabilities_are_refused(wrong):
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        binarize(np.array([0.5, wrong]), seed=0)
