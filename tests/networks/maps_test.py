import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.networks.maps import ConvMapDecoder
from keras_vae.networks.maps import ConvMapEncoder
from keras_vae.networks.maps import ResNetMapDecoder
from keras_vae.networks.maps import ResNetMapEncoder

pytestmark = pytest.mark.compiled_once

NETWORKS = [(ConvMapEncoder, ConvMapDecoder), (ResNetMapEncoder, ResNetMapDecoder)]
SIZES = [  # of pictures or maps, how often halved, and of their latent maps
    ((28, 28), 2, (7, 7)),
    ((7, 7), 1, (4, 4)),
    ((6, 5), 2, (2, 2)),
    ((1, 1), 1, (1, 1)),
]


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_encoder_with_kernels_of_one_pixel_reads_every_fourth_pixel():
    encoder = ConvMapEncoder((8, 8, 1), 2, filters=(1, 1), kernel_size=1, activation="linear")
    for name, weight in (("conv_1", 2.0), ("conv_2", 3.0)):
        encoder.get_layer(name).set_weights([np.full((1, 1, 1, 1), weight), np.ones(1)])
    head = np.array([1.0, -1.0]).reshape(1, 1, 1, 2), np.array([0.0, 0.5])
    encoder.get_layer("z").set_weights(head)
    x = np.arange(64.0).reshape(1, 8, 8, 1)
    z = ops.convert_to_numpy(encoder(x))
    # TensorFlow's "same" padding of a kernel of one pixel is none: rows and columns 0 and 4.
    expected = 3 * (2 * x[:, ::4, ::4, 0] + 1) + 1
    assert np.array_equal(z, np.stack([expected, 0.5 - expected], axis=-1))


def test_decoder_with_kernels_of_one_pixel_repeats_every_code():
    decoder = ConvMapDecoder((7, 6, 1), 1, (1, 1), kernel_size=1, activation="tanh")
    kernels = [decoder.get_layer(n).get_weights()[0] for n in ("conv", "upsampling_1", "output")]
    assert not any(map(np.ptp, kernels))  # sub-pixels start alike
    conv, doubling, output = map(np.mean, kernels)
    z = draw(1, 2, 2, 1)
    y = np.tanh(np.tanh(z * conv) * doubling) * output
    expected = y.repeat(4, axis=1).repeat(4, axis=2)[:, :7, :6]
    np.testing.assert_allclose(ops.convert_to_numpy(decoder(z)), expected, rtol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("encoder, decoder", NETWORKS)
@pytest.mark.parametrize("size, stages, latent", SIZES)
def test_every_size_and_every_gradient(encoder, decoder, size, stages, latent, unreached):
    filters = range(3, 3 + stages)
    encoder = encoder((*size, 2), 3, tuple(filters), activation="tanh")
    decoder = decoder((*size, 2), 3, tuple(filters), activation="tanh", num_parameters=2)
    assert encoder.output_shape == decoder.input_shape == (None, *latent, 3)
    assert decoder.output_shape == (None, *size, 4)
    assert unreached(encoder) == []
    assert unreached(decoder) == []


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("encoder, decoder", NETWORKS)
def test_of_any_size_and_of_one_size_are_the_same_function(encoder, decoder, assert_round_trip):
    of_any = encoder((None, None, 2), 3, (4, 5), num_outputs=2), decoder((None, None, 2), 3, (5, 4))
    of_one = encoder((8, 12, 2), 3, (4, 5), num_outputs=2), decoder((8, 12, 2), 3, (5, 4))
    assert of_any[0].output_shape == [(None, None, None, 3)] * 2
    for open_network, network, inputs in zip(
        of_any, of_one, (draw(2, 8, 12, 2), draw(2, 2, 3, 3)), strict=True
    ):
        weights = [np.random.default_rng(1).normal(size=w.shape) for w in open_network.weights]
        open_network.set_weights(weights)
        network.set_weights(
            [np.broadcast_to(w, v.shape) for w, v in zip(weights, network.weights, strict=True)]
        )
        pairs = zip(*map(keras.tree.flatten, (open_network(inputs), network(inputs))), strict=True)
        for y, expected in pairs:
            np.testing.assert_allclose(
                *map(ops.convert_to_numpy, (y, expected)), rtol=1e-4, atol=1e-4
            )
        assert_round_trip(open_network)


def test_bias_of_a_decoder_of_any_size_is_of_channels():
    decoder = ConvMapDecoder((None, None, 2), 3, num_parameters=2)
    decoder.set_output_bias(np.array([0.25, 0.5]))
    bias = ops.convert_to_numpy(decoder.get_layer("output_bias").bias)
    assert np.array_equal(bias, [[[0.25, 0.5, 0, 0]]])
    with pytest.raises(ValueError, match=r"axis=\(0, 1, 2\)"):
        decoder.set_output_bias(np.zeros((8, 8, 2)))


def test_levels_can_be_chained():
    encoder, decoder = ResNetMapEncoder, ResNetMapDecoder
    bottom, top = encoder((28, 28, 1), 6, filters=(4, 4)), encoder((7, 7, 6), 5, filters=(4,))
    assert top.output_shape == (None, 4, 4, 5)
    top, bottom = decoder((7, 7, 6), 5, filters=(4,)), decoder((28, 28, 1), 6 + 6, filters=(4, 4))
    z = ops.concatenate([top.output, bottom.input[..., 6:]], axis=-1)
    assert bottom(z).shape == (None, 28, 28, 1)


def test_residual_networks_start_as_convolutional_ones():
    options = {"latent_dim": 4, "filters": (4, 3)}
    pairs = [
        (ConvMapEncoder((7, 5, 3), **options), ResNetMapEncoder((7, 5, 3), **options)),
        (ConvMapDecoder((7, 5, 3), **options), ResNetMapDecoder((7, 5, 3), **options)),
    ]
    for (conv, resnet), x in zip(pairs, (draw(2, 7, 5, 3), draw(2, 2, 2, 4)), strict=True):
        for layer in conv.layers:
            resnet.get_layer(layer.name).set_weights(layer.get_weights())
        assert np.array_equal(*(ops.convert_to_numpy(network(x)) for network in (conv, resnet)))
        blocks = [layer.output.shape for layer in resnet.layers if "block" in layer.name]
        assert len(blocks) == 2
        assert all(shape[1:3] == (2, 2) for shape in blocks)  # where they cost least


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("decoder", [ConvMapDecoder, ResNetMapDecoder])
def test_decoder_starts_at_its_output_bias(decoder):
    decoder = decoder((7, 5, 3), 2, filters=(4, 3), num_parameters=2)
    value = draw(7, 5, 3)
    decoder.set_output_bias(value)
    y = ops.convert_to_numpy(decoder(np.zeros((1, 2, 2, 2))))[0]  # z = 0 and zero biases
    assert np.array_equal(y[..., :3], value)
    assert not y[..., 3:].any()


# A flat condition, and one of the size of z.
@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("networks", NETWORKS)
@pytest.mark.parametrize("condition_shape", [(6,), (2, 2, 1)])
def test_conditions_reach_the_output(networks, condition_shape, unreached):
    x, z = draw(1, 7, 5, 3), draw(1, 2, 2, 4)
    for network, data in zip(networks, (x, z), strict=True):
        network = network(
            (7, 5, 3), 4, filters=(4, 3), activation="tanh", condition_shape=condition_shape
        )
        outputs = [network([data, c * np.ones((1, *condition_shape))]) for c in (0, 1)]
        assert not np.allclose(*map(ops.convert_to_numpy, outputs))
        assert unreached(network) == []


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("networks", NETWORKS)
def test_save_and_load(networks, dtype, assert_round_trip):
    for network in networks:
        network = network((6, 5, 3), 2, [4, 3], activation="silu", dtype=dtype)
        assert ops.convert_to_numpy(network(draw(1, *network.input_shape[1:]))).dtype == "float32"
        assert network.latent_dim == 2
        assert_round_trip(network)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"`input_shape` .* flat vector \(784,\)"):
        ConvMapEncoder((784,), 2)
    with pytest.raises(ValueError, match=r"`output_shape` .* flat vector \(784,\)"):
        ResNetMapDecoder((784,), 2)
    with pytest.raises(ValueError, match=r"`filters`.*at least one stage"):
        ConvMapDecoder((28, 28, 1), 2, filters=())
    with pytest.raises(ValueError, match=r"`num_blocks` must be .*Received: 0"):
        ResNetMapEncoder((28, 28, 1), 2, num_blocks=0)
