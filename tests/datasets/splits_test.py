import dataclasses

import numpy as np
import pytest

from keras_vae.datasets.splits import Arrays
from keras_vae.datasets.splits import Splits
from keras_vae.datasets.splits import fixed_split

pytestmark = pytest.mark.one_backend


@pytest.mark.parametrize("num_examples", [2, 10, 11, 1965])
def test_every_example_is_in_exactly_one_part(num_examples):
    train, test = fixed_split(num_examples)
    assert sorted([*train, *test]) == list(range(num_examples))
    assert len(test) == int(np.ceil(num_examples / 10))


def test_the_division_is_the_documented_one():
    order = np.random.default_rng(2026).permutation(20)
    train, test = fixed_split(20)
    np.testing.assert_array_equal(train, order[:18])
    np.testing.assert_array_equal(test, order[18:])


def test_one_example_cannot_be_divided():
    with pytest.raises(ValueError, match="at least 2"):
        fixed_split(1)


def test_rows_of_arrays_keep_pictures_and_labels_together():
    arrays = Arrays(np.arange(5.0), np.arange(5))
    part = arrays[np.array([3, 1])]
    np.testing.assert_array_equal(part.x, [3, 1])
    np.testing.assert_array_equal(part.y, [3, 1])
    assert len(part) == 2
    assert Arrays(np.arange(5.0))[:2].y is None


def test_as_many_labels_as_pictures():
    with pytest.raises(ValueError, match="3 images but 2 labels"):
        Arrays(np.zeros(3), np.zeros(2))


def test_splits_cannot_be_changed():
    splits = Splits("name", train=Arrays(np.zeros(2)), test=Arrays(np.zeros(1)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        splits.train = splits.test
    assert splits.validation is None
