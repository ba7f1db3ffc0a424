import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.layers.residual import ResidualBlock


def pictures(shape=(3, 5, 4, 6)):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_starts_as_the_identity(policy):
    block = ResidualBlock(2, activation="silu", dtype=policy)
    x = ops.cast(pictures(), block.compute_dtype)
    assert np.array_equal(
        ops.convert_to_numpy(ops.cast(block(x), "float32")),
        ops.convert_to_numpy(ops.cast(x, "float32")),
    )


def test_with_kernels_of_one_pixel_it_is_two_matrix_products():
    x = pictures()
    block = ResidualBlock(2, kernel_size=1)
    block.build(x.shape)
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=variable.shape).astype("float32") for variable in block.variables]
    block.set_weights(weights)
    k1, b1, k2, b2 = weights
    hidden = np.maximum(x, 0) @ k1[0, 0] + b1
    expected = x + np.maximum(hidden, 0) @ k2[0, 0] + b2
    np.testing.assert_allclose(ops.convert_to_numpy(block(x)), expected, rtol=1e-5, atol=1e-5)


def test_no_example_depends_on_the_others_of_its_batch():
    x = pictures()
    block = ResidualBlock(2)
    block.build(x.shape)
    block.conv_2.kernel.assign(np.ones(block.conv_2.kernel.shape))
    together = ops.convert_to_numpy(block(x))
    alone = ops.convert_to_numpy(block(x[:1]))
    np.testing.assert_allclose(together[:1], alone, rtol=1e-5, atol=1e-6)


def test_config_round_trip():
    block = ResidualBlock(2, kernel_size=5, activation="tanh", name="block", dtype="mixed_bfloat16")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(block))
    assert again.get_config() == block.get_config()
    assert again.activation is keras.activations.tanh
