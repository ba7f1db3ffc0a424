import keras
import numpy as np
import pytest
from keras import ops
from map_networks import SHAPE
from map_networks import networks
from map_networks import normed_networks

import keras_vae
from keras_vae.models.base import tiling

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
        found = tiling.reach(network)
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
        found, measured = tiling.reach(encoder), influence(encoder, 64, 4)
        assert measured <= found + 3
        assert found <= 12
        _, decoder = networks()
        model = keras_vae.Autoencoder(encoder, decoder, **GAUSSIAN)
        z = RNG.uniform(size=(1, 61, 50, 2)).astype("float32")
        whole, tiled = (ops.convert_to_numpy(model.encode(z, **o)) for o in ({}, {"tile": 16}))
        np.testing.assert_allclose(tiled, whole, rtol=1e-5, atol=1e-5)


def test_what_sees_everything_has_no_reach():
    assert [tiling.reach(network) for network in normed_networks()] == [None, None]
    dense = keras.Sequential([keras.Input(SHAPE), keras.layers.Dense(3)])
    assert tiling.reach(dense) is None
    assert tiling.reach(keras.layers.Dense(3)) is None


@pytest.mark.parametrize("size", [(37, 70), (8, 8), (64, 41)])
@pytest.mark.parametrize("is_exact", [True, False])
def test_weights_of_tiles_sum_to_one(size, is_exact):
    tiles = tiling.Tiles(4, 2, is_exact)
    ones = np.ones((1, *size, 1), "float32")

    def run(x):
        height, width = (-(-n // 4) for n in x.shape[1:3])
        return [np.ones((1, height, width, 2), "float32")]

    told = []
    (y,) = tiling.over_tiles(run, ones, tiles, 4, 1, told.append)
    cells = [-(-n // 4) for n in size]
    assert y.shape == (1, *cells, 2)
    np.testing.assert_allclose(y, 1, rtol=1e-6)
    assert len(told) == tiling.num_tiles(cells, tiles)


def test_each_piece_is_small():
    model = keras_vae.VAE(*networks(), **GAUSSIAN)
    seen = []
    tiles = tiling.tiles_of(model.encoder, model.stride, True, 16)
    tiling.over_tiles(
        lambda x: seen.append(x.shape) or [np.zeros((1, *(n // 4 for n in x.shape[1:3]), 1))],
        np.zeros((1, 400, 300, 2), "float32"),
        tiles,
        4,
        1,
    )
    side = 4 * (tiles.size + 2 * tiles.margin)
    assert set(seen) == {(1, side, side, 2)}  # one shape is compiled
