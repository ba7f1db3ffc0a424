"""That the networks compute what the authors' do is tested in `tests/presets/interchange`."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae import TinyDecoder
from keras_vae import TinyEncoder

pytestmark = pytest.mark.one_backend

X = np.random.default_rng(0).uniform(0, 1, (4, 16, 24, 3)).astype("float32")


def networks(num_outputs=1, shape=(None, None, 3), **options):
    options = {"latent_dim": 3, "num_channels": 8} | options
    encoder = TinyEncoder(shape, num_blocks=(1, 1, 1, 1), num_outputs=num_outputs, **options)
    return encoder, TinyDecoder(shape, num_blocks=(1, 1, 1, 1), **options)


@pytest.mark.parametrize("latent_dim", [4, 16, 32])
def test_it_is_tiny(latent_dim):
    # As the authors have them: 1,222,532 and 1,222,531 parameters for 4 channels.
    more = latent_dim - 4
    assert TinyEncoder(latent_dim=latent_dim).count_params() == 1_222_532 + more * (9 * 64 + 1)
    assert TinyDecoder(latent_dim=latent_dim).count_params() == 1_222_531 + more * 9 * 64


@pytest.mark.parametrize("has_norm", [False, True])
def test_it_learns_as_the_networks_of_a_vae(has_norm):
    keras.utils.set_random_seed(0)
    model = keras_vae.VAE(
        *networks(2, has_norm=has_norm), keras_vae.GaussianLikelihood(0.1), seed=0
    )
    model.compile(keras.optimizers.Adam(3e-3))
    history = model.fit(X, epochs=6, batch_size=4, verbose=0).history["reconstruction"]
    assert np.isfinite(history).all()
    assert history[-1] < 0.7 * history[0]
    assert model.latents(X).shape == (4, 2, 3, 3)
    assert model.reconstruct(X[:, :13, :17]).shape == (4, 13, 17, 3)


def test_group_norms_see_the_whole_picture_and_nothing_else_does():
    large = np.tile(X, (1, 8, 8, 1))
    other = large.copy()
    other[:, 0, 0] = 0
    for has_norm in (False, True):
        encoder, _ = networks(has_norm=has_norm)
        a, b = (ops.convert_to_numpy(encoder(x))[:, -1, -1] for x in (large, other))
        assert np.array_equal(a, b) is not has_norm


def test_tiles_give_what_the_whole_does():
    # Of two stages, so that what it sees, and with that the picture, is small.
    options = {"latent_dim": 3, "num_channels": 8, "num_blocks": (1, 1)}
    model = keras_vae.Autoencoder(
        TinyEncoder(**options), TinyDecoder(**options), keras_vae.GaussianLikelihood()
    )
    x = np.random.default_rng(0).uniform(size=(1, 83, 90, 3)).astype("float32")
    latents = model.latents(x)
    np.testing.assert_allclose(model.latents(x, tile=16), latents, atol=1e-5)
    np.testing.assert_allclose(model.pictures(latents, tile=16), model.pictures(latents), atol=1e-5)


def test_save_and_load(assert_round_trip):
    for network in networks(2, (16, 8, 3), has_norm=True, dtype="mixed_bfloat16"):
        assert_round_trip(network)


def test_sizes_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="multiples of 8"):
        TinyEncoder((28, 28, 3))
