import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.devices import with_numbers_at_hand
from keras_vae.distributions import soft_bound


def test_identity_up_to_the_limit():
    v = np.linspace(-20, 20, 101).astype("float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(soft_bound(v)), v)


def test_logarithmic_beyond():
    assert float(soft_bound(np.float32(20 + math.e - 1))) == pytest.approx(21)
    assert float(soft_bound(np.float32(1e4))) == pytest.approx(20 + math.log(9981), rel=1e-6)
    assert float(soft_bound(np.float32(-1e4))) == pytest.approx(-20 - math.log(9981), rel=1e-6)
    assert float(soft_bound(np.float32(3 + math.e - 1), limit=3.0)) == pytest.approx(4)


def test_monotone():
    v = np.linspace(-1e4, 1e4, 5001).astype("float32")
    assert (np.diff(ops.convert_to_numpy(soft_bound(v))) > 0).all()


def test_slope_is_continuous_and_never_zero(value_and_gradients):
    v = np.array([-1e4, -21.0, -20.0, -1.0, 0.0, 1.0, 20.0, 21.0, 1e4], "float32")
    _, [slope] = value_and_gradients(soft_bound, v)
    expected = [1 / 9981, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 1 / 9981]
    np.testing.assert_allclose(slope, expected, atol=1e-7)
    assert (slope > 0).all()


def test_exponentials_of_twice_the_bound_are_representable():
    bound = ops.convert_to_numpy(soft_bound(np.array([-1e4, 1e4], "float32")))
    squares = np.exp(2 * bound, dtype="float32")
    assert np.isfinite(squares).all()
    assert (squares > np.finfo("float32").tiny).all()


@pytest.mark.skipif(keras.config.backend() != "torch", reason="only steps on torch are eager")
@pytest.mark.parametrize("largest", [1.0, 20.0, 21.0, math.nan])
def test_is_the_same_where_numbers_can_be_looked_at(largest, value_and_gradients):
    v = np.array([-3.0, 0.0, largest], "float32")
    expected = value_and_gradients(soft_bound, v)
    with with_numbers_at_hand():
        value, gradients = value_and_gradients(soft_bound, v)
    np.testing.assert_array_equal(value, expected[0])
    np.testing.assert_array_equal(gradients, expected[1])
