import numpy as np
import pytest
from keras import ops

from keras_vae.networks.completion import CompletionDecoder
from keras_vae.networks.completion import CompletionNetwork

SHAPE = (4, 3, 2)


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def half_seen(num_examples):
    """Binary pictures, and the condition that shows their upper half."""
    x = (draw(num_examples, *SHAPE, seed=1) > 0).astype("float32")
    mask = np.zeros_like(x)
    mask[:, :2] = 1
    return x, np.concatenate([x * mask, mask], axis=-1)


def make_decoder():
    return CompletionDecoder(SHAPE, 5, ())


def make_network():
    return CompletionNetwork(SHAPE, ())


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("with_latent", [True, False])
def test_linear_networks_are_certain_of_what_they_see_and_compute_the_rest(with_latent):
    x, c = half_seen(6)
    z = draw(6, 5)
    network = make_decoder() if with_latent else make_network()
    network.set_output_bias(0.5)
    (kernel,) = network.get_layer("output").get_weights()
    flat = np.concatenate([z, c.reshape(6, -1)], axis=1) if with_latent else c.reshape(6, -1)
    expected = (flat @ kernel).reshape(x.shape) + 0.5
    expected[:, :2] = 60 * x[:, :2] - 30
    y = ops.convert_to_numpy(network([z, c] if with_latent else c))
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_inputs_are_what_they_say():
    assert make_decoder().input_shape == [(None, 5), (None, 4, 3, 4)]
    assert make_network().input_shape == (None, 4, 3, 4)
    assert make_decoder().latent_dim == 5
    assert make_network().latent_dim is None


def test_seen_pixels_teach_nothing():
    network = CompletionNetwork(SHAPE, (3,), "tanh")
    x, c = half_seen(4)
    before = network.get_weights()
    network.compile("sgd", "mse")
    network.train_on_batch(np.concatenate([x, np.ones_like(x)], axis=-1), 0 * x)  # all seen
    for a, b in zip(before, network.get_weights(), strict=True):
        assert np.array_equal(a, b)
    network.train_on_batch(c, 1 + 0 * x)
    moved = np.any(network.get_layer("output_bias").get_weights()[0] != 0, axis=(1, 2))
    assert moved.tolist() == [False, False, True, True]


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_save_and_load(dtype, assert_round_trip):
    assert_round_trip(CompletionDecoder([4, 3, 2], 5, [6], "tanh", dtype=dtype))
    assert_round_trip(CompletionNetwork([4, 3, 2], [6], "tanh", dtype=dtype, name="baseline"))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"`output_shape` .* flat vector \(784,\)"):
        CompletionDecoder((784,), 2)
    with pytest.raises(ValueError, match=r"`output_shape` .* flat vector \(784,\)"):
        CompletionNetwork((784,))
    with pytest.raises(ValueError, match=r"`latent_dim`.*positive integer\. Received: 0"):
        CompletionDecoder(SHAPE, 0)
    with pytest.raises(ValueError, match=r"`hidden_units`.*tuple .* use \(64,\)"):
        CompletionNetwork(SHAPE, hidden_units=64)
