import keras
import numpy as np
import pytest

import keras_vae
from keras_vae.distributions import DiagonalGaussian
from keras_vae.priors import Prior


class LearnedMean(Prior):
    """A prior of one's own: N(mean, I) with a learned mean."""

    def build(self, latent_shape):
        super().build(latent_shape)
        self.mean = self.add_weight(name="mean", shape=latent_shape, initializer="ones")

    def call(self, condition=None):
        return DiagonalGaussian(self.mean, 0.0, batch_ndims=0)


def test_call_must_be_defined():
    prior = Prior()
    prior.build((2,))
    with pytest.raises(NotImplementedError):
        prior()


def test_a_learned_prior_plugs_into_vae_and_is_trained_and_computed_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    networks = keras_vae.MLPEncoder((6,), 2, (8,)), keras_vae.MLPDecoder((6,), 2, (8,))
    model = keras_vae.VAE(*networks, prior=LearnedMean(), seed=0)
    assert model.prior.mean.dtype == "float32"
    model.compile(keras.optimizers.SGD(0.1))
    x = np.random.default_rng(0).integers(0, 2, (32, 6)).astype("float32")
    model.fit(x, epochs=2, verbose=0)
    moved = keras.ops.convert_to_numpy(model.prior.mean)
    assert np.abs(moved - 1).max() > 1e-3
