import numpy as np
import pytest
from keras import ops

from keras_vae.networks.ladder import LadderDecoder
from keras_vae.networks.ladder import LadderEncoder

# Half, twice, and the same size, odd ones too.
SIZES = [((28, 20), (14, 10)), ((7, 5), (4, 3)), ((4, 3), (7, 5)), ((7, 5), (7, 5)), ((1, 1),) * 2]


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("before, after", SIZES)
def test_every_size_and_every_gradient(before, after, unreached):
    options = {"filters": 4, "num_blocks": 1, "activation": "tanh"}
    encoder = LadderEncoder((*before, 2), (*after, 3), **options)
    decoder = LadderDecoder((*before, 3), (*after, 2), num_parameters=2, **options)
    maps = (None, *after, 3)
    assert encoder.output_shape == [maps, maps, (None, *after, 4)]
    assert decoder.output_shape == (None, *after, 4)
    assert unreached(encoder) == []
    assert unreached(decoder) == []


def test_mean_is_a_convolution_of_the_features():
    encoder = LadderEncoder((4, 4, 1), (2, 2, 1), 3, kernel_size=1, activation="linear")
    kernel = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)
    encoder.get_layer("z_mean").set_weights([kernel, np.array([0.5])])
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    z_mean, _, features = (ops.convert_to_numpy(y) for y in encoder(x))
    weights = encoder.get_layer("conv").get_weights()[0][0, 0]  # blocks start as the identity
    np.testing.assert_allclose(features, x[:, ::2, ::2] @ weights, rtol=1e-5)
    np.testing.assert_allclose(z_mean, features @ kernel[0, 0] + 0.5, rtol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("after", [(7, 5), (4, 3)])
def test_decoder_starts_at_its_output_bias(after):
    decoder = LadderDecoder((4, 3, 2), (*after, 3), 4, num_parameters=2)
    value = np.random.default_rng(0).normal(size=(*after, 3)).astype("float32")
    decoder.set_output_bias(value)
    y = ops.convert_to_numpy(decoder(np.zeros((1, 4, 3, 2))))[0]  # z = 0 and zero biases
    assert np.array_equal(y[..., :3], value)
    assert not y[..., 3:].any()


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_save_and_load(dtype, assert_round_trip):
    assert_round_trip(LadderEncoder((4, 3, 2), [7, 5, 3], 4, 1, activation="silu", dtype=dtype))
    assert_round_trip(LadderDecoder((4, 3, 2), (7, 5, 1), 4, 1, num_parameters=2, dtype=dtype))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"`output_shape` .* \(28, 28\), .* Received: \(7, 7\)"):
        LadderEncoder((28, 28, 1), (7, 7, 8))
    with pytest.raises(ValueError, match=r"`input_shape` .* flat vector \(784,\)"):
        LadderEncoder((784,), (7, 7, 8))
    with pytest.raises(ValueError, match=r"`filters` must be .*Received: \(4, 4\)"):
        LadderDecoder((7, 7, 8), (14, 14, 1), filters=(4, 4))
