import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.layers import MapAttention

X = np.random.default_rng(0).normal(size=(2, 3, 4, 6)).astype("float32")


def weights(layer):
    return [ops.convert_to_numpy(w).astype("float64") for w in layer.weights]


def drawn(layer):
    layer.build(X.shape)
    rng = np.random.default_rng(1)
    for w in layer.weights:
        w.assign(rng.normal(size=w.shape) * 0.5)
    return layer


def test_agrees_with_numpy():
    layer = drawn(MapAttention(num_groups=2))
    gamma, beta, *dense = weights(layer)
    groups = X.reshape(2, 12, 2, 3).astype("float64")
    mean, var = groups.mean(axis=(1, 3), keepdims=True), groups.var(axis=(1, 3), keepdims=True)
    rows = ((groups - mean) / np.sqrt(var + 1e-6)).reshape(2, 12, 6) * gamma + beta
    query, key, value = (rows @ dense[2 * i] + dense[2 * i + 1] for i in range(3))
    products = query @ key.transpose(0, 2, 1) / np.sqrt(6)
    shares = np.exp(products) / np.exp(products).sum(axis=-1, keepdims=True)
    expected = X + ((shares @ value) @ dense[6] + dense[7]).reshape(X.shape)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(X)), expected, atol=1e-5)


@pytest.mark.one_backend
def test_every_position_sees_every_other():
    layer = drawn(MapAttention(num_groups=1))
    moved = X.copy()
    moved[:, 0, 0] += np.arange(6.0)
    difference = ops.convert_to_numpy(layer(moved)) - ops.convert_to_numpy(layer(X))
    assert (np.abs(difference[:, -1, -1]) > 1e-4).any(axis=-1).all()


@pytest.mark.one_backend
def test_maps_of_any_size_in_mixed_precision_and_its_config():
    layer = MapAttention(num_groups=2, dtype="mixed_bfloat16")
    x = keras.Input((None, None, 6))
    model = keras.Model(x, layer(x))
    assert model.output_shape == (None, None, None, 6)
    assert ops.shape(model(X[:, :2])) == (2, 2, 4, 6)
    again = MapAttention.from_config(layer.get_config())
    assert again.num_groups == 2
    assert again.dtype_policy.name == "mixed_bfloat16"
