import keras
import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae.models.base import tiling

SHAPE = (None, None, 2)
RNG = np.random.default_rng(0)
GAUSSIAN = {"likelihood": keras_vae.GaussianLikelihood(0.5), "seed": 0}


def networks(num_outputs=2, **options):
    encoder = keras_vae.ResNetMapEncoder(SHAPE, 3, (4, 5), 1, num_outputs=num_outputs, **options)
    decoder = keras_vae.ResNetMapDecoder(SHAPE, 3, (5, 4), 1, **options)
    for network in (encoder, decoder):  # residual blocks begin as the identity
        network.set_weights([RNG.normal(scale=0.15, size=w.shape) for w in network.weights])
    return encoder, decoder


def normed_networks():
    """Networks that see the whole picture."""
    x = keras.Input(SHAPE)
    y = keras.layers.Conv2D(4, 4, 2, padding="same")(x)
    y = keras.layers.GroupNormalization(2)(y)
    heads = [keras.layers.Conv2D(3, 1)(y) for _ in range(2)]
    z = keras.Input((None, None, 3))
    h = keras.layers.GroupNormalization(1)(keras.layers.Conv2D(4, 3, padding="same")(z))
    h = keras.layers.UpSampling2D(2)(h)
    return keras.Model(x, heads), keras.Model(z, keras.layers.Conv2D(2, 3, padding="same")(h))


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


@pytest.mark.parametrize("family", ["vae", "vqvae", "cvae"])
def test_tiles_equal_the_whole_where_the_reach_is_bounded(family):
    x, condition = RNG.uniform(size=(2, 83, 70, 2)).astype("float32"), ()
    if family == "vqvae":
        model = keras_vae.VQVAE(*networks(1), keras_vae.VectorQuantizer(6), **GAUSSIAN)
    elif family == "cvae":
        condition = (np.array([0, 2]),)
        model = keras_vae.CVAE(
            *networks(condition_shape=(3,)), condition=keras_vae.LabelCondition(3), **GAUSSIAN
        )
    else:
        model = keras_vae.VAE(*networks(), **GAUSSIAN)
    whole, tiled = model.encode(x, *condition), model.encode(x, *condition, tile=16)
    z, z_tiled = (ops.convert_to_numpy(model.latent_of(q)) for q in (whole, tiled))
    np.testing.assert_allclose(z_tiled, z, rtol=1e-5, atol=1e-5)
    if family != "vqvae":
        np.testing.assert_allclose(
            *(ops.convert_to_numpy(q.log_var) for q in (tiled, whole)), rtol=1e-5, atol=1e-5
        )
    decoded = [model.decode(z, *condition, **o).mean for o in ({}, {"tile": 16})]
    np.testing.assert_allclose(*map(ops.convert_to_numpy, decoded), rtol=1e-5, atol=1e-5)
    reconstructed = model.reconstruct(x, *condition, tile=16)
    assert reconstructed.shape == x.shape
    np.testing.assert_allclose(
        reconstructed, model.reconstruct(x, *condition), rtol=1e-5, atol=1e-5
    )


def test_no_seams_where_a_network_sees_everything():
    model = keras_vae.VAE(*normed_networks(), **GAUSSIAN)
    ramp = np.linspace(0, 1, 96, dtype="float32")  # so that tiles differ in what they norm by
    x = np.broadcast_to(ramp[:, None, None], (96, 96, 2))[None] ** 2
    blended = model.reconstruct(x, tile=32)[0]
    cut = model.reconstruct(x, tile=32, overlap=0)[0]

    def steps(y):
        """The largest jump between neighbouring rows, in the inner columns."""
        return np.abs(np.diff(y[8:-8, 8:-8], axis=0)).max()

    assert steps(blended) < 0.3 * steps(cut)


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


def test_what_does_not_fit():
    model, x = keras_vae.VAE(*networks(), **GAUSSIAN), np.zeros((1, 20, 20, 2), "float32")
    with pytest.raises(ValueError, match=r"`tile` must be a multiple of 4.*Received: 18"):
        model.reconstruct(x, tile=18)
    with pytest.raises(ValueError, match=r"`tile`.*positive"):
        model.encode(x, tile=0)
    with pytest.raises(ValueError, match=r"`overlap`.*positive"):
        model.encode(x, tile=16, overlap=-1)
    fixed = keras_vae.VAE(keras_vae.MLPEncoder((4,), 2), keras_vae.MLPDecoder((4,), 2))
    with pytest.raises(ValueError, match=r"`tile` is for models .* any size"):
        fixed.reconstruct(np.zeros((1, 4)), tile=16)
