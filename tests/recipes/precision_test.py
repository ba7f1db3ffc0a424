import contextlib

import keras
import numpy as np
import pytest

import keras_vae
from keras_vae.recipes.precision import built_in
from keras_vae.recipes.precision import in_float32

pytestmark = pytest.mark.compiled_once

SHAPE = (8, 8, 1)


def vae():
    encoder, decoder = keras_vae.MLPEncoder(SHAPE, 2, (5,)), keras_vae.MLPDecoder(SHAPE, 2, (5,))
    return keras_vae.VAE(encoder, decoder, seed=0)


def vq_vae():
    parts = keras_vae.ConvMapEncoder(SHAPE, 3, (4,)), keras_vae.ConvMapDecoder(SHAPE, 3, (4,))
    quantizer = keras_vae.VectorQuantizer(6)
    return keras_vae.VQVAE(*parts, quantizer, keras_vae.GaussianLikelihood(0.5), seed=0)


def pixel_cnn():
    return keras_vae.PixelCNN(SHAPE, 2, filters=8, num_blocks=2, seed=0)


@pytest.mark.parametrize("make", [vae, vq_vae, pixel_cnn])
def test_a_trained_model_keeps_its_weights(make):
    x = np.random.default_rng(0).integers(0, 2, (16, *SHAPE))
    with built_in("mixed_bfloat16"):
        model = make()
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(x, batch_size=8, epochs=2, verbose=0)
    copy = in_float32(model)
    assert {layer.compute_dtype for layer in copy._flatten_layers()} == {"float32"}
    assert "bfloat16" in {layer.compute_dtype for layer in model._flatten_layers()}
    assert copy.get_config()["seed"] == 0
    for a, b in zip(copy.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert in_float32(copy) is copy


def test_the_policy_of_before_comes_back_after_an_error():
    with contextlib.suppress(RuntimeError), built_in("mixed_float16"):
        assert keras.layers.Dense(1).compute_dtype == "float16"
        raise RuntimeError
    assert keras.config.dtype_policy().name == "float32"
