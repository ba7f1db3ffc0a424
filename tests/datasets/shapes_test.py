import numpy as np
import pytest

from keras_vae.datasets import load
from keras_vae.datasets import shape_factors
from keras_vae.datasets import shapes
from keras_vae.datasets.shapes import FACTORS

pytestmark = pytest.mark.one_backend

SQUARE, ELLIPSE, HEART = range(3)


@pytest.fixture(scope="module")
def drawn():
    """Pictures (3, 4, 8, 10, 10, 32, 32) by their factors."""
    x, y = shapes()
    assert not np.any(y != np.arange(9600))
    return x.reshape(*FACTORS.values(), 32, 32)


def centres(x):
    """Mean row and column of the white pixels of pictures (..., 32, 32), from -1 to 1."""
    places = 2 * (np.arange(32) + 0.5) / 32 - 1
    count = x.sum(axis=(-2, -1))
    return (x.sum(axis=-1) @ places) / count, (x.sum(axis=-2) @ places) / count


def test_every_combination_is_there_once_and_looks_like_no_other():
    x, y = shapes()
    assert len({picture.tobytes() for picture in x}) == len(x) == 9600
    assert len(np.unique(shape_factors(y), axis=0)) == 9600


def test_places_are_evenly_spaced(drawn):
    rows, columns = centres(drawn[SQUARE])
    expected = np.linspace(-0.42, 0.42, 10)
    half_a_pixel = 1 / 32
    np.testing.assert_allclose(rows, np.broadcast_to(expected, rows.shape), atol=half_a_pixel)
    np.testing.assert_allclose(
        columns, np.broadcast_to(expected[:, None], columns.shape), atol=half_a_pixel
    )


def test_areas_grow_with_the_square_of_the_size(drawn):
    radii = np.linspace(0.3, 0.5, 4)
    side = 1.6 * radii  # of the square, which reaches 0.8 radii from its centre
    areas = drawn[SQUARE].mean(axis=(-1, -2, -3, -4, -5)) * 4  # of pictures of area 4
    np.testing.assert_allclose(areas, side**2, rtol=0.05)
    of_ellipses = drawn[ELLIPSE].mean(axis=(-1, -2, -3, -4, -5)) * 4
    np.testing.assert_allclose(of_ellipses, np.pi * 0.55 * radii**2, rtol=0.05)


def test_the_first_ellipse_lies_and_the_heart_stands_on_its_tip(drawn):
    ellipse = drawn[ELLIPSE, 3, 0, 5, 5]
    assert ellipse.any(axis=0).sum() > 1.5 * ellipse.any(axis=1).sum()
    widths = drawn[HEART, 3, 0, 5, 5].sum(axis=1)
    widths = widths[widths > 0]
    assert widths[:3].min() > widths[-1]


def test_turning_moves_pixels_and_no_centre(drawn):
    first, later = drawn[ELLIPSE, 3, 0], drawn[ELLIPSE, 3, 4]
    assert np.all((first != later).sum(axis=(-2, -1)) > 20)
    for a, b in zip(centres(first), centres(later), strict=True):
        np.testing.assert_allclose(a, b, atol=0.02)


def test_by_name_in_two_parts_with_numbers_as_labels():
    data, small = load("shapes"), load("shapes", image_size=(16, 20))
    assert (len(data.train), len(data.test)) == (8640, 960)
    assert data.train.x.shape[1:] == (32, 32, 1)
    assert small.test.x.shape == (960, 16, 20, 1)
    assert set(np.unique(data.test.x)) == {0, 1}
    x, _ = shapes()
    np.testing.assert_array_equal(data.test.x[..., 0], x[data.test.y])
    assert "every combination" in data.description


@pytest.mark.parametrize("y", [[9600], [-1], [0.5], [[1]]])
def test_no_number_of_a_shape(y):
    with pytest.raises(ValueError, match=r"`y` must be integers.*Received"):
        shape_factors(y)
