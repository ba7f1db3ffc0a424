import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.indexing import at
from keras_vae.indexing import first_largest
from keras_vae.indexing import with_at

X = np.arange(24, dtype="float32").reshape(2, 3, 4)


def indices(i):
    return [i, ops.convert_to_tensor(i, "int32")]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_reads_one_index(axis):
    for index in indices(1):
        found = ops.convert_to_numpy(at(ops.convert_to_tensor(X), index, axis))
        np.testing.assert_array_equal(found, X.take(1, axis))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_writes_one_index(axis):
    for index in indices(1):
        value = -X.take(1, axis)
        found = with_at(ops.convert_to_tensor(X.copy()), index, axis, ops.convert_to_tensor(value))
        expected = X.copy()
        np.moveaxis(expected, axis, 0)[1] = value
        np.testing.assert_array_equal(ops.convert_to_numpy(found), expected)


def test_the_first_of_the_largest():
    x = np.random.default_rng(0).integers(-3, 3, (50, 4, 6)).astype("float32")
    x[0, 0] = -np.inf
    x[1, 0] = [-1.0, -0.0, 0.0, 0.0, -0.0, -1.0]
    found = ops.convert_to_numpy(first_largest(ops.convert_to_tensor(x)))
    assert found.dtype == "int32"
    expected = x.argmax(axis=-1)
    if keras.config.backend() != "tensorflow":  # where -0.0 is below 0.0
        expected[1, 0] = found[1, 0]
    np.testing.assert_array_equal(found, expected)


def test_the_shape_of_the_first_of_the_largest():
    assert first_largest(keras.KerasTensor((None, 3, 4))).shape == (None, 3)
