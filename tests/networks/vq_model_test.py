"""That the networks compute what diffusers' do is tested in `tests/presets/interchange`."""

import keras
import numpy as np
import pytest

import keras_vae
from keras_vae import VQModelDecoder
from keras_vae import VQModelEncoder

pytestmark = pytest.mark.one_backend

X = np.random.default_rng(0).uniform(-1, 1, (4, 8, 12, 3)).astype("float32")


def networks(shape=(None, None, 3)):
    options = {"latent_dim": 2, "num_groups": 2, "num_channels": 5}
    return (
        VQModelEncoder(shape, filters=(4, 6), num_blocks=1, **options),
        VQModelDecoder(shape, filters=(6, 4), num_blocks=2, **options),
    )


def test_it_learns_with_fit():
    keras.utils.set_random_seed(0)
    quantizer = keras_vae.VectorQuantizer(8)
    model = keras_vae.VQVAE(*networks(), quantizer, keras_vae.GaussianLikelihood(0.1), seed=0)
    model.compile(keras.optimizers.Adam(3e-3))
    history = model.fit(X, epochs=6, batch_size=4, verbose=0).history["reconstruction"]
    assert np.isfinite(history).all()
    assert history[-1] < 0.7 * history[0]
    assert model.encode_indices(X).shape == (4, 4, 6)


def test_save_and_load(assert_round_trip):
    for network in networks((4, 6, 3)):
        assert_round_trip(network)


def test_the_map_between_the_convolutions_has_its_own_channels():
    encoder, decoder = networks()
    assert encoder.get_layer("conv_out").output.shape[-1] == 5
    assert decoder.get_layer("quant_conv").output.shape[-1] == 5
    assert encoder.output_shape[-1] == decoder.input_shape[-1] == 2
