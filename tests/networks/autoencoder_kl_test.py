"""That the networks compute what diffusers' do is tested in `tests/presets/interchange`."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae import AutoencoderKLDecoder
from keras_vae import AutoencoderKLEncoder

pytestmark = pytest.mark.one_backend

SMALL = {"latent_dim": 2, "num_groups": 2}
X = np.random.default_rng(0).uniform(-1, 1, (4, 8, 12, 3)).astype("float32")


def networks(shape=(None, None, 3), **options):
    options = SMALL | options
    return (
        AutoencoderKLEncoder(shape, filters=(4, 6), num_blocks=1, **options),
        AutoencoderKLDecoder(shape, filters=(6, 4), num_blocks=2, **options),
    )


def test_parameters_are_those_of_stable_diffusion():
    # 83,653,863 in all in diffusers, where the two quant convolutions are counted by themselves.
    assert AutoencoderKLEncoder().count_params() == 34_163_592 + 72
    assert AutoencoderKLDecoder().count_params() == 49_490_179 + 20


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_it_learns_with_fit(dtype):
    keras.utils.set_random_seed(0)
    model = keras_vae.VAE(*networks(dtype=dtype), keras_vae.GaussianLikelihood(0.1), seed=0)
    model.compile(keras.optimizers.Adam(3e-3))
    history = model.fit(X, epochs=6, batch_size=4, verbose=0).history["reconstruction"]
    assert np.isfinite(history).all()
    assert history[-1] < 0.7 * history[0]
    assert model.reconstruct(X[:, :7, :11]).shape == (4, 7, 11, 3)


def test_the_decoder_alone_is_fine_tuned_in_one_line():
    model = keras_vae.VAE(*networks(), keras_vae.GaussianLikelihood(0.1), seed=0)
    model.encoder.trainable = False
    model.compile(keras.optimizers.Adam(1e-3))
    before = model.encoder.get_weights(), model.decoder.get_weights()
    model.fit(X, batch_size=4, verbose=0)
    after = model.encoder.get_weights(), model.decoder.get_weights()
    assert all(map(np.array_equal, before[0], after[0]))
    assert not any(map(np.array_equal, before[1], after[1]))


def test_save_and_load(assert_round_trip):
    for options in ({}, {"has_attention": False, "has_quant_conv": False}):
        for network in networks((4, 6, 3), **options):
            assert_round_trip(network)


def test_without_attention_and_quant_conv_there_are_fewer_weights():
    names = {layer.name for layer in networks(has_attention=False, has_quant_conv=False)[0].layers}
    assert not names & {"mid_attention", "quant_conv"}
    assert {"mid_attention", "quant_conv"} <= {layer.name for layer in networks()[0].layers}
    assert [tuple(ops.shape(y)) for y in networks()[0](X)] == [(4, 4, 6, 2)] * 2
