import keras
import numpy as np
import pytest

import keras_vae
from keras_vae.models.base import networks_given


def test_an_open_encoder_of_a_closed_decoder_is_built_from_data_as_before():
    pooled = keras.Sequential(
        [keras.Input((None, None, 1)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    )
    model = keras_vae.Autoencoder(pooled, keras_vae.MLPDecoder((4, 4, 1), 2))
    assert not model.built
    model.compile("sgd")
    model.fit(np.zeros((4, 4, 4, 1), "float32"), verbose=0)
    assert model.data_shape == (4, 4, 1)


def test_the_shape_that_networks_know():
    known = networks_given.known_input_shape
    assert known(keras_vae.MLPEncoder((6,), 2)) == (None, 6)
    assert known(keras.Sequential([keras.layers.Dense(2)])) is None
    shape = (None, None, 3)
    maps = keras_vae.ConvMapEncoder(shape, 2), keras_vae.ConvMapDecoder(shape, 2)
    assert known(*maps) == (None, *shape)
    assert known(maps[0]) is None  # a size may still be the decoder's


def test_a_decoder_that_ends_in_a_sigmoid_gives_probabilities():
    ends = {
        "sigmoid": keras_vae.BernoulliProbabilityLikelihood,
        None: keras_vae.BernoulliLikelihood,
    }
    for activation, likelihood in ends.items():
        decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(6, activation)])
        assert type(networks_given.default_likelihood(decoder)) is likelihood


def test_what_is_no_network_or_likelihood():
    encoder, decoder = keras_vae.MLPEncoder((6,), 2), keras_vae.MLPDecoder((6,), 2)
    with pytest.raises(TypeError, match=r"`encoder` must be a `keras.Model`.*Received: None"):
        keras_vae.VAE(None, decoder)
    with pytest.raises(TypeError, match=r"`likelihood` must be a likelihood.*Received: 'mse'"):
        keras_vae.VAE(encoder, decoder, likelihood="mse")
