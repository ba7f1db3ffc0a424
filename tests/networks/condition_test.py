import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.networks.conv import ConvDecoder
from keras_vae.networks.conv import ConvEncoder
from keras_vae.networks.mlp import MLPDecoder
from keras_vae.networks.mlp import MLPEncoder
from keras_vae.networks.resnet import ResNetDecoder
from keras_vae.networks.resnet import ResNetEncoder

pytestmark = pytest.mark.compiled_once

SHAPE = (7, 5, 3)
NETWORKS = {
    "mlp_encoder": lambda **kwargs: MLPEncoder(SHAPE, 2, (4,), "tanh", **kwargs),
    "mlp_decoder": lambda **kwargs: MLPDecoder(SHAPE, 2, (4,), "tanh", **kwargs),
    "conv_encoder": lambda **kwargs: ConvEncoder(SHAPE, 2, (4, 3), 3, "tanh", **kwargs),
    "conv_decoder": lambda **kwargs: ConvDecoder(SHAPE, 2, (3, 4), 3, "tanh", **kwargs),
    "resnet_encoder": lambda **kwargs: ResNetEncoder(SHAPE, 2, (4, 3), 1, 3, "tanh", **kwargs),
    "resnet_decoder": lambda **kwargs: ResNetDecoder(SHAPE, 2, (3, 4), 1, 3, "tanh", **kwargs),
}
every_network = pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
# A picture of another size than x for every network; a vector and one of its size where it matters.
CASES = [*((name, (3, 2, 1)) for name in NETWORKS)]
CASES += [("conv_encoder", (4,)), ("conv_encoder", (7, 5, 2)), ("mlp_decoder", (4,))]
CASES += [(name, (4, 2)) for name in ("mlp_encoder", "mlp_decoder", "conv_encoder", "conv_decoder")]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("shape", [(4,), (2, 3, 1)])
def test_linear_encoder_is_one_matrix_of_x_and_one_of_c(shape):
    encoder = MLPEncoder((3, 2, 1), 2, hidden_units=(), condition_shape=shape)
    x, c = draw(5, 3, 2, 1), draw(5, *shape, seed=1)
    for y, name in zip(encoder([x, c]), ("z_mean", "z_log_var"), strict=True):
        kernel, bias = encoder.get_layer(name).get_weights()
        expected = x.reshape(5, 6) @ kernel[:6] + c.reshape(5, -1) @ kernel[6:] + bias
        np.testing.assert_allclose(ops.convert_to_numpy(y), expected, atol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("shape", [(4,), (2, 3, 1)])
def test_linear_decoder_is_one_matrix_of_z_and_one_of_c(shape):
    decoder = MLPDecoder((3, 2, 1), 2, hidden_units=(), condition_shape=shape)
    z, c = draw(5, 2), draw(5, *shape, seed=1)
    (kernel,) = decoder.get_layer("output").get_weights()
    expected = (z @ kernel[:2] + c.reshape(5, -1) @ kernel[2:]).reshape(5, 3, 2, 1)
    np.testing.assert_allclose(ops.convert_to_numpy(decoder([z, c])), expected, atol=1e-5)


def test_conditions_of_convolutions_are_channels():
    one_pixel = {"filters": (1,), "kernel_size": 1, "activation": "linear"}
    encoder = ConvEncoder((1, 1, 2), 1, condition_shape=(1, 1, 3), **one_pixel)
    kernel = np.array([1.0, 10, 100, 1000, 10000]).reshape(1, 1, 5, 1)
    encoder.get_layer("conv_1").set_weights([kernel, np.zeros(1)])
    encoder.get_layer("z_mean").set_weights([np.ones((1, 1)), np.zeros(1)])
    x, c = np.array([1.0, 2]).reshape(1, 1, 1, 2), np.array([3.0, 4, 5]).reshape(1, 1, 1, 3)
    assert ops.convert_to_numpy(encoder([x, c])[0]).item() == 54321


def test_conditions_of_another_shape_are_one_channel_of_a_dense_layer():
    one_pixel = {"filters": (1,), "kernel_size": 1, "activation": "linear"}
    encoder = ConvEncoder((2, 2, 1), 1, condition_shape=(2,), **one_pixel)
    dense = np.array([[1.0, 2, 3, 4], [10, 20, 30, 40]])
    encoder.get_layer("condition_map").set_weights([dense, np.zeros(4)])
    encoder.get_layer("conv_1").set_weights([np.array([[[[7.0], [1.0]]]]), np.zeros(1)])
    encoder.get_layer("z_mean").set_weights([np.ones((1, 1)), np.zeros(1)])
    x = np.full((1, 2, 2, 1), 100.0)
    # A kernel of one pixel with stride 2 reads the upper left one: 7 * 100 + 5 * 1 + 6 * 10.
    assert ops.convert_to_numpy(encoder([x, np.array([[5.0, 6]])])[0]).item() == 765


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name, shape", CASES)
def test_every_weight_learns_and_every_condition_counts(name, shape, unreached):
    network = NETWORKS[name](condition_shape=shape)
    assert [x.name for x in network.inputs][1] == "condition"
    assert network.input_shape[1] == (None, *shape)
    assert network.output_shape == NETWORKS[name]().output_shape
    assert unreached(network) == []  # and leaves no weight at zero
    first = draw(2, *network.input_shape[0][1:])
    given = [network([first, c]) for c in (np.zeros((2, *shape)), draw(2, *shape))]
    for a, b in zip(*map(keras.tree.flatten, given), strict=True):
        assert np.abs(ops.convert_to_numpy(a) - ops.convert_to_numpy(b)).min() > 0


@pytest.mark.first_case_elsewhere
@every_network
def test_save_and_load(make, assert_round_trip):
    for shape, dtype in (([4], "mixed_bfloat16"), ((7, 5, 2), "float32")):
        network = make(condition_shape=shape, dtype=dtype)
        assert network.get_config()["condition_shape"] == tuple(shape)
        assert_round_trip(network)


@pytest.mark.first_case_elsewhere
@every_network
def test_bad_conditions_are_named(make):
    with pytest.raises(ValueError, match=r"`condition_shape` .* Received: 10. .* use \(N,\)"):
        make(condition_shape=10)
    with pytest.raises(ValueError, match=r"`condition_shape` .* Received: \(7, 0\)"):
        make(condition_shape=(7, 0))
    network = make(condition_shape=(4,))
    with pytest.raises(ValueError, match=r"\(None, 4\)"):
        network([draw(2, *network.input_shape[0][1:]), draw(2, 3)])


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", ["conv_encoder", "resnet_encoder"])
def test_pictures_of_the_size_of_x_need_their_channel_axis(name):
    message = r"Received: \(7, 5\)\. The channel axis is missing: use \(7, 5, 1\)\."
    with pytest.raises(ValueError, match=message):
        NETWORKS[name](condition_shape=(7, 5))
