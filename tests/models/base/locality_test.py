import keras
import numpy as np
import pytest
from keras import ops
from map_networks import SHAPE
from map_networks import networks
from map_networks import normed_networks

import keras_vae
from keras_vae.models.base import locality

pytestmark = pytest.mark.compiled_once

RNG = np.random.default_rng(0)
GAUSSIAN = {"likelihood": keras_vae.GaussianLikelihood(0.5), "seed": 0}


def influence(network, size, scale):
    """Returns how far beyond its own cell an input cell's change is seen, by trying it."""
    x = RNG.normal(size=(1, size, size, network.input_shape[-1])).astype("float32")
    changed, at = x.copy(), size // 2 - (size // 2) % max(1, round(scale))
    changed[:, at, at] += 10.0
    first = [keras.tree.flatten(network(v))[0] for v in (x, changed)]
    y, moved = map(ops.convert_to_numpy, first)
    rows = np.nonzero((y != moved).any(axis=(0, 2, 3)))[0]
    own = at / scale
    return max(own - rows[0], rows[-1] + 1 - own - max(1, 1 / scale)) * scale


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("kernel_size", [1, 3, 4, 5])
def test_reach_is_at_least_what_a_change_reaches(kernel_size):
    encoder, decoder = networks(kernel_size=kernel_size, activation="tanh")
    for network, scale in ((encoder, 4), (decoder, 1 / 4)):
        size = 64 if scale > 1 else 24
        found = locality.reach(network)
        measured = influence(network, size, scale)
        assert measured <= found + max(0, scale - 1)  # whole cells of the output are seen
        assert found <= measured + 2 + scale  # a bound, and no wild one


def test_reach_of_convolutions_that_a_layer_pads():
    """As those of PyTorch are, on both sides, or of published autoencoders, at the bottom."""
    for padding in (1, ((0, 1), (0, 1))):
        x = keras.Input(SHAPE)
        y = x
        for _ in range(2):
            y = keras.layers.ZeroPadding2D(padding)(y)
            y = keras.layers.Conv2D(3, 3, 2)(y)
        encoder = keras.Model(x, keras.layers.Conv2D(3, 3, padding="same")(y))
        found, measured = locality.reach(encoder), influence(encoder, 64, 4)
        assert measured <= found + 3
        assert found <= 12
        _, decoder = networks()
        model = keras_vae.Autoencoder(encoder, decoder, **GAUSSIAN)
        z = RNG.uniform(size=(1, 61, 50, 2)).astype("float32")
        whole, tiled = (ops.convert_to_numpy(model.encode(z, **o)) for o in ({}, {"tile": 16}))
        np.testing.assert_allclose(tiled, whole, rtol=1e-5, atol=1e-5)


def test_what_sees_everything_has_no_reach():
    assert [locality.reach(network) for network in normed_networks()] == [None, None]
    dense = keras.Sequential([keras.Input(SHAPE), keras.layers.Dense(3)])
    assert locality.reach(dense) is None
    assert locality.reach(keras.layers.Dense(3)) is None


def test_networks_are_cut_where_they_begin_or_cease_to_see_everything():
    encoder, decoder = normed_networks()
    x, z = RNG.normal(size=(1, 12, 8, 2)), RNG.normal(size=(1, 6, 4, 3))
    for network, inputs in ((encoder, x), (decoder, z)):
        near, whole = locality.halves(network, network is encoder)
        assert locality.reach(near) is not None
        assert any(isinstance(o, keras.layers.GroupNormalization) for o in whole.operations)
        first, last = (near, whole) if network is encoder else (whole, near)
        found, expected = last(first(inputs)), network(inputs)
        for a, b in zip(*map(keras.tree.flatten, (found, expected)), strict=True):
            np.testing.assert_array_equal(*map(ops.convert_to_numpy, (a, b)))


def test_what_cannot_be_cut():
    assert locality.halves(networks()[0], True) is None  # nothing sees everything
    assert locality.halves(normed_networks(everywhere=True)[1], False) is None
    attentive = keras_vae.AutoencoderKLEncoder(filters=(8, 8), num_groups=4)
    assert locality.halves(attentive, True) is None
    assert locality.halves(keras.layers.Dense(3), True) is None
