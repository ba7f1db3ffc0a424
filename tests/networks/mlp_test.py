import keras
import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae.networks.mlp import MLPDecoder
from keras_vae.networks.mlp import MLPEncoder

SHAPES = [(28, 20, 1), (7, 5, 3), (1, 1, 1), (33, 17, 2), (9,), (1,), (64, 2), (2, 3, 2, 1)]


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def weights_of(network, name):
    return network.get_layer(name).get_weights()


def test_encoder_is_its_matrix_products():
    encoder = MLPEncoder((4, 3, 2), 5, hidden_units=(7, 6), activation="tanh")
    x = draw(3, 4, 3, 2)
    h = x.reshape(3, 24)
    for name in ("dense_1", "dense_2"):
        kernel, bias = weights_of(encoder, name)
        h = np.tanh(h @ kernel + bias)
    outputs = encoder(x)
    assert isinstance(outputs, tuple)
    for y, name in zip(outputs, ("z_mean", "z_log_var"), strict=True):
        kernel, bias = weights_of(encoder, name)
        np.testing.assert_allclose(ops.convert_to_numpy(y), h @ kernel + bias, atol=1e-5)


def test_decoder_is_its_matrix_products_with_parameters_along_channels():
    decoder = MLPDecoder((4, 3, 2), 5, hidden_units=(7,), activation="tanh", num_parameters=2)
    z = draw(3, 5)
    kernel, bias = weights_of(decoder, "dense_1")
    expected = np.tanh(z @ kernel + bias) @ weights_of(decoder, "output")[0]
    y = ops.convert_to_numpy(decoder(z))
    np.testing.assert_allclose(y, expected.reshape(3, 4, 3, 4), atol=1e-5)


def test_published_network_has_the_published_number_of_parameters():
    shape, units = (28, 28, 1), (200, 200)
    encoder = MLPEncoder(shape, 50, hidden_units=units, activation="tanh")
    decoder = MLPDecoder(shape, 50, hidden_units=units, activation="tanh")
    assert encoder.count_params() + decoder.count_params() == 425_284


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_and_every_gradient(shape, unreached):
    encoder = MLPEncoder(shape, 3, hidden_units=(8,), activation="tanh")
    decoder = MLPDecoder(shape, 3, hidden_units=(8,), activation="tanh", num_parameters=2)
    assert encoder.output_shape == [(None, 3), (None, 3)]
    assert decoder.output_shape == (None, *shape[:-1], 2 * shape[-1])
    assert unreached(encoder) == []
    assert unreached(decoder) == []


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_save_and_load(dtype, assert_round_trip):
    assert_round_trip(MLPEncoder((5, 3, 1), 2, [4], activation="silu", dtype=dtype))
    assert_round_trip(MLPDecoder((9,), 2, (), num_parameters=2, dtype=dtype, name="p"))


def test_data_and_conditions_of_any_shape(unreached):
    encoder = MLPEncoder((64, 2), 8, (4,), "tanh", condition_shape=(3, 2))
    decoder = MLPDecoder((64, 2), 8, (4,), "tanh", condition_shape=(2, 2, 2, 1))
    assert encoder([draw(5, 64, 2), draw(5, 3, 2)])[0].shape == (5, 8)
    assert decoder([draw(5, 8), draw(5, 2, 2, 2, 1)]).shape == (5, 64, 2)
    assert unreached(encoder) + unreached(decoder) == []
    vae = keras_vae.VAE(MLPEncoder((64, 2), 8), MLPDecoder((64, 2), 8))
    assert vae.sample(2, seed=0).shape == (2, 64, 2)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"`latent_dim`.*positive integer\. Received: 0"):
        MLPEncoder((28, 28, 1), 0)
    with pytest.raises(ValueError, match=r"`input_shape` .* use \(N,\)"):
        MLPEncoder(784, 2)
    with pytest.raises(ValueError, match=r"`hidden_units`.*tuple .* use \(64,\)"):
        MLPDecoder((9,), 2, hidden_units=64)
    with pytest.raises(ValueError, match="`num_parameters` must be a positive"):
        MLPDecoder((9,), 2, num_parameters=0)


def test_outputs_are_float32_and_summary_prints(capsys):
    decoder = MLPDecoder((9,), 2, dtype="mixed_bfloat16")
    assert keras.backend.standardize_dtype(decoder(draw(1, 2)).dtype) == "float32"
    decoder.summary()
    assert "output_bias" in capsys.readouterr().out
