import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.layers import function_of as module
from keras_vae.layers.function_of import affine
from keras_vae.layers.function_of import function_of

L = keras.layers
ARRAY = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
LAYERS = {
    "dense": L.Dense(2, "gelu"),
    "without bias": L.Dense(2, use_bias=False),
    "half precision": L.Dense(2, dtype="mixed_bfloat16"),
    "a norm": L.LayerNormalization(),
    "a norm in half precision": L.LayerNormalization(dtype="mixed_bfloat16"),
    "of one's own": L.Rescaling(2.0),
}


def with_weights(layer, shape):
    layer.build(shape)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    return layer


def as_numpy(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", LAYERS)
def test_equals_a_call(name):
    layer = with_weights(LAYERS[name], ARRAY.shape)
    x = ops.cast(ARRAY, layer.compute_dtype)
    expected, found = layer(x), function_of(layer)(x)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(as_numpy(found), as_numpy(expected), rtol=1e-5, atol=1e-6)


def test_codes_have_their_vectors():
    layer = with_weights(L.Embedding(6, 2), (None,))
    codes = ops.convert_to_tensor([[5, 0], [3, 3]], "int32")
    np.testing.assert_array_equal(as_numpy(function_of(layer)(codes)), as_numpy(layer(codes)))


def test_a_convolution():
    layer = with_weights(L.Conv2D(3, (1, 2)), (None, 3, 5, 4))
    x = ops.convert_to_tensor(ARRAY[None])
    np.testing.assert_allclose(as_numpy(function_of(layer)(x)), as_numpy(layer(x)), atol=1e-6)


def test_weights_are_those_of_when_it_was_asked_for():
    layer = with_weights(L.Dense(2), ARRAY.shape)
    layer.set_weights([2 * w for w in layer.get_weights()])
    x = ops.convert_to_tensor(ARRAY)
    np.testing.assert_allclose(as_numpy(function_of(layer)(x)), as_numpy(layer(x)), rtol=1e-5)


def test_what_is_attached_to_a_call_is_kept():
    penalised = with_weights(L.Dense(2, activity_regularizer="l2"), ARRAY.shape)
    quantized = with_weights(L.Dense(2), ARRAY.shape)
    quantized.quantize("int8")
    assert function_of(penalised) is penalised
    assert function_of(quantized) is quantized


@pytest.mark.skipif(keras.config.backend() != "torch", reason="hooks are of PyTorch")
def test_hooks_are_called():
    layer, x, seen = with_weights(L.Dense(2), ARRAY.shape), ops.convert_to_tensor(ARRAY), []
    handle = layer.register_forward_hook(lambda *args: seen.append(1))
    function_of(layer)(x)
    handle.remove()
    function_of(layer)(x)
    assert len(seen) == 1


def test_a_product_in_the_type_of_its_input():
    kernel, bias = ops.ones((2, 1)), ops.full((1,), 0.5)
    found = affine(kernel, bias, "bfloat16")(ops.convert_to_tensor([[1, 2]], "bfloat16"))
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    np.testing.assert_array_equal(as_numpy(found), [[3.5]])


def test_another_function_may_compute_a_kind(monkeypatch):
    monkeypatch.setattr(module, "_FUNCTIONS", dict(module._FUNCTIONS))
    module.compute_by(L.Dense, lambda layer: lambda x: (layer.units, x))
    dense, embedding = L.Dense(3), L.Embedding(2, 3)
    dense.build((None, 2))
    embedding.build()
    assert function_of(dense)(5) == (3, 5)
    assert function_of(embedding)(ops.convert_to_tensor([1])).shape == (1, 3)
