import numpy as np
import pytest
from keras import ops

from keras_vae.networks.conv import ConvDecoder
from keras_vae.networks.conv import ConvEncoder
from keras_vae.networks.resnet import ResNetDecoder
from keras_vae.networks.resnet import ResNetEncoder

pytestmark = pytest.mark.compiled_once

SHAPES = [(28, 20, 1), (7, 5, 3), (1, 1, 1), (33, 17, 2)]


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def copy_named(source, target):
    for layer in source.layers:
        target.get_layer(layer.name).set_weights(layer.get_weights())


def test_starts_as_the_convolutional_network():
    shape, x, z = (7, 5, 3), draw(2, 7, 5, 3), draw(2, 4)
    conv, resnet = ConvEncoder(shape, 4, (4, 3)), ResNetEncoder(shape, 4, (4, 3), num_blocks=3)
    copy_named(conv, resnet)
    for a, b in zip(conv(x), resnet(x), strict=True):
        assert np.array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))
    conv, resnet = ConvDecoder(shape, 4, (3, 4)), ResNetDecoder(shape, 4, (3, 4), num_blocks=3)
    copy_named(conv, resnet)
    assert np.array_equal(ops.convert_to_numpy(conv(z)), ops.convert_to_numpy(resnet(z)))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_and_every_gradient(shape, unreached):
    encoder = ResNetEncoder(shape, 3, (4, 4), num_blocks=1, activation="tanh")
    decoder = ResNetDecoder(shape, 3, (4, 4), num_blocks=1, activation="tanh", num_parameters=2)
    assert encoder.output_shape == [(None, 3), (None, 3)]
    assert decoder.output_shape == (None, *shape[:2], 2 * shape[2])
    assert unreached(encoder) == []
    assert unreached(decoder) == []


def test_blocks_leave_the_start_in_one_step():
    decoder, z = ResNetDecoder((7, 5, 1), 4, (4, 4), num_blocks=2), draw(16, 4)
    decoder.compile("adam", "mse")
    kernels = [layer.conv_2.kernel for layer in decoder.layers if "block" in layer.name]
    assert len(kernels) == 4
    assert not any(np.any(ops.convert_to_numpy(kernel)) for kernel in kernels)
    decoder.train_on_batch(z, draw(16, 7, 5, 1))
    assert all(np.any(ops.convert_to_numpy(kernel)) for kernel in kernels)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_save_and_load(dtype, assert_round_trip):
    assert_round_trip(ResNetEncoder((7, 5, 3), 2, [4, 3], 1, activation="silu", dtype=dtype))
    assert_round_trip(ResNetDecoder((7, 5, 3), 2, [4, 3], 1, num_parameters=2, dtype=dtype))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"`input_shape` .* flat vector \(784,\).*MLPEncoder"):
        ResNetEncoder((784,), 2)
    with pytest.raises(ValueError, match=r"`output_shape` .* flat vector \(784,\).*MLPDecoder"):
        ResNetDecoder((784,), 2)
    with pytest.raises(ValueError, match=r"`num_blocks`.*positive integer\. Received: 0"):
        ResNetEncoder((28, 28, 1), 2, num_blocks=0)
