import numpy as np
import pytest
from keras import ops

from keras_vae.priors.dense_network import DenseNetwork
from keras_vae.priors.dense_network import check_units


def test_layers_follow_each_other_and_the_last_is_linear():
    network = DenseNetwork((4, 3), 2, "tanh", "glorot_uniform")
    network.build((None, 5))
    (a, b), (c, d), (e, f) = (
        [ops.convert_to_numpy(w) for w in layer.weights] for layer in network.dense
    )
    x = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
    expected = np.tanh(np.tanh(x @ a + b) @ c + d) @ e + f
    np.testing.assert_allclose(ops.convert_to_numpy(network(x)), expected, rtol=1e-5, atol=1e-6)


def test_without_hidden_units_it_is_linear():
    network = DenseNetwork((), 2, "relu", "ones")
    network.build((None, 3))
    x = np.array([[1.0, -2.0, 0.5]])
    np.testing.assert_allclose(ops.convert_to_numpy(network(x)), [[-0.5, -0.5]])


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("units", [64, (64, 0), None])
def test_hidden_units_are_checked(units):
    with pytest.raises(ValueError, match="`hidden_units` must be"):
        check_units(units)
    assert check_units([8, 4]) == (8, 4)
