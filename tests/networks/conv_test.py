import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.networks.conv import ConvDecoder
from keras_vae.networks.conv import ConvEncoder

SHAPES = [(28, 20, 1), (7, 5, 3), (1, 1, 1), (33, 17, 2)]


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_encoder_with_kernels_of_one_pixel_reads_every_fourth_pixel():
    encoder = ConvEncoder((8, 8, 1), 2, filters=(1, 1), kernel_size=1, activation="linear")
    for name, weight in (("conv_1", 2.0), ("conv_2", 3.0)):
        encoder.get_layer(name).set_weights([np.full((1, 1, 1, 1), weight), np.ones(1)])
    encoder.get_layer("z_mean").set_weights([np.eye(4)[:, :2], np.zeros(2)])
    x = np.arange(64.0).reshape(1, 8, 8, 1)
    z_mean, _ = encoder(x)
    # TensorFlow's "same" padding of a kernel of one pixel is none: rows and columns 0 and 4.
    expected = [3 * (2 * x[0, 0, c, 0] + 1) + 1 for c in (0, 4)]
    assert ops.convert_to_numpy(z_mean)[0].tolist() == expected


# The last one has more stages than its sizes can be halved.
@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("shape, filters", [*((s, (4, 4)) for s in SHAPES), ((7, 5, 3), (4,) * 5)])
def test_every_shape_and_every_gradient(shape, filters, unreached):
    encoder = ConvEncoder(shape, 3, filters=filters, activation="tanh")
    decoder = ConvDecoder(shape, 3, filters=filters, activation="tanh", num_parameters=2)
    assert encoder.output_shape == [(None, 3), (None, 3)]
    assert decoder.output_shape == (None, *shape[:2], 2 * shape[2])
    assert unreached(encoder) == []
    assert unreached(decoder) == []


def test_decoder_mirrors_the_encoder():
    encoder = ConvEncoder((7, 5, 3), 3, filters=(4, 3))
    decoder = ConvDecoder((7, 5, 3), 3, filters=(3, 4))
    down = [encoder.get_layer(name).output.shape for name in ("conv_1", "conv_2")]
    assert down == [(None, 4, 3, 4), (None, 2, 2, 3)]
    assert down == [decoder.get_layer(name).output.shape for name in ("upsampling_1", "reshape")]


def test_decoder_starts_at_its_output_bias():
    decoder = ConvDecoder((7, 5, 3), 4, filters=(4, 3), num_parameters=2)
    value = draw(7, 5, 3)
    decoder.set_output_bias(value)
    y = ops.convert_to_numpy(decoder(np.zeros((1, 4))))[0]  # z = 0 and zero biases
    assert np.array_equal(y[..., :3], value)
    assert not y[..., 3:].any()


def test_channels_last_whatever_keras_is_configured_to():
    decoder, z = ConvDecoder((7, 5, 3), 4, filters=[4, 3]), draw(2, 4)
    encoder, x = ConvEncoder((7, 5, 3), 4, filters=[4, 3]), draw(2, 7, 5, 3)
    keras.config.set_image_data_format("channels_first")
    try:
        for network, data in ((decoder, z), (encoder, x)):
            again = type(network).from_config(network.get_config())
            again.set_weights(network.get_weights())
            pairs = zip(*map(keras.tree.flatten, (network(data), again(data))), strict=True)
            for a, b in pairs:
                assert np.array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))
    finally:
        keras.config.set_image_data_format("channels_last")


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_save_and_load(dtype, assert_round_trip):
    filters = [4, 3]
    assert_round_trip(ConvEncoder((7, 5, 3), 2, filters, activation="silu", dtype=dtype))
    assert_round_trip(ConvDecoder((7, 5, 3), 2, filters, num_parameters=2, dtype=dtype))
    assert filters == [4, 3]


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"`input_shape` .* flat vector \(784,\).*MLPEncoder"):
        ConvEncoder((784,), 2)
    with pytest.raises(ValueError, match=r"`output_shape` .* flat vector \(784,\).*MLPDecoder"):
        ConvDecoder((784,), 2)
    with pytest.raises(ValueError, match=r"The channel axis is missing: use \(64, 2, 1\)\."):
        ConvEncoder((64, 2), 2)
    with pytest.raises(ValueError, match=r"`filters`.*at least one stage"):
        ConvEncoder((28, 28, 1), 2, filters=())
    with pytest.raises(ValueError, match=r"`output_shape` .* Received: \(0, 28, 1\)"):
        ConvDecoder((0, 28, 1), 2)
    with pytest.raises(ValueError, match=r"`latent_dim` must be .*Received: 2\.5"):
        ConvDecoder((28, 28, 1), 2.5)


def test_pictures_of_another_size_raise():
    with pytest.raises(ValueError, match=r"\(None, 28, 20, 1\)"):
        ConvEncoder((28, 20, 1), 2)(draw(2, 28, 28, 1))
