import numpy as np
import pytest

from keras_vae.datasets import random_quadrants
from keras_vae.datasets import seen_quadrants

pytestmark = pytest.mark.one_backend

X = np.arange(1, 21, dtype="float32").reshape(1, 4, 5, 1)
SEEN = {
    1: [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 0, 0, 0]],
    2: [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 0, 0, 0]],
    3: [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]],
}


@pytest.mark.parametrize("num_seen", [1, 2, 3])
def test_quadrants_by_hand(num_seen):
    mask = np.array(SEEN[num_seen])
    found = seen_quadrants(X, num_seen)
    np.testing.assert_array_equal(found[0, :, :, 1], mask)
    np.testing.assert_array_equal(found[0, :, :, 0], mask * X[0, :, :, 0])


def test_each_picture_may_have_its_own_number():
    found = seen_quadrants(np.repeat(X, 3, axis=0), [3, 1, 2])
    for row, num_seen in zip(found, [3, 1, 2], strict=True):
        np.testing.assert_array_equal(row[..., 1], SEEN[num_seen])


def test_random_numbers_are_each_as_frequent():
    x = np.repeat(X, 3000, axis=0)
    shown = random_quadrants(x, np.random.default_rng(0))[..., 1].sum(axis=(1, 2))
    areas = {np.sum(mask) for mask in SEEN.values()}
    assert set(shown) == areas
    for area in areas:
        assert abs(np.mean(shown == area) - 1 / 3) < 4 * np.sqrt(2 / 9 / 3000)


@pytest.mark.parametrize("num_seen", [0, 4, 1.5, [1, 2]])
def test_other_numbers_are_refused(num_seen):
    with pytest.raises(ValueError, match="num_seen"):
        seen_quadrants(X, num_seen)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"`x` .*\(N, H, W, C\)"):
        seen_quadrants(X[0], 1)
