import numpy as np
import pytest
from keras import ops
from map_networks import networks
from map_networks import normed_networks

import keras_vae

pytestmark = pytest.mark.compiled_once

RNG = np.random.default_rng(0)
GAUSSIAN = {"likelihood": keras_vae.GaussianLikelihood(0.5), "seed": 0}


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


@pytest.mark.parametrize("name", ["norms", "tiny"])
def test_tiles_equal_the_whole_where_only_small_maps_are_seen_as_a_whole(name):
    if name == "norms":
        model = keras_vae.VAE(*normed_networks(), **GAUSSIAN)
    else:
        options = {"num_channels": 8, "num_blocks": (1, 1), "has_norm": True}
        encoder = keras_vae.TinyEncoder((None, None, 2), 3, **options)
        decoder = keras_vae.TinyDecoder((None, None, 2), 3, **options)
        model = keras_vae.Autoencoder(encoder, decoder, **GAUSSIAN)
    ramp = np.linspace(0, 1, 83 * 70, dtype="float32").reshape(83, 70)
    x = np.stack([ramp, ramp.T.reshape(83, 70)], axis=-1)[None] ** 2
    whole, tiled = (model.reconstruct(x, **o) for o in ({}, {"tile": 16}))
    assert whole.std() > 0.01
    np.testing.assert_allclose(tiled, whole, rtol=1e-5, atol=1e-5)


def test_no_seams_where_a_network_sees_everything():
    encoder, decoder = normed_networks()[0], normed_networks(everywhere=True)[1]
    model = keras_vae.VAE(encoder, decoder, **GAUSSIAN)
    ramp = np.linspace(0, 1, 96, dtype="float32")  # so that tiles differ in what they norm by
    x = np.broadcast_to(ramp[:, None, None], (96, 96, 2))[None] ** 2
    blended = model.reconstruct(x, tile=32)[0]
    cut = model.reconstruct(x, tile=32, overlap=0)[0]

    def steps(y):
        """The largest jump between neighbouring rows, in the inner columns."""
        return np.abs(np.diff(y[8:-8, 8:-8], axis=0)).max()

    assert steps(blended) < 0.3 * steps(cut)


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
