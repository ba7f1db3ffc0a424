import keras
import numpy as np
from keras import ops

from keras_vae.layers import TokenVectors


def test_logits_are_products_with_the_vectors_that_are_read():
    layer = TokenVectors(5, 3)
    layer.bias.assign(np.arange(5.0))
    vectors = ops.convert_to_numpy(layer(np.arange(5)))
    features = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    logits = ops.convert_to_numpy(layer(features, reverse=True))
    np.testing.assert_allclose(logits, features @ vectors.T + np.arange(5), rtol=1e-5, atol=1e-6)


def test_logits_are_float32_under_every_policy():
    layer = TokenVectors(5, 3, dtype="mixed_bfloat16")
    x = keras.random.normal((2, 4, 3), seed=0)
    assert keras.backend.standardize_dtype(layer(x, reverse=True).dtype) == "float32"


def test_config_makes_the_same_layer():
    layer = TokenVectors(5, 3, name="vectors")
    assert TokenVectors.from_config(layer.get_config()).get_config() == layer.get_config()
