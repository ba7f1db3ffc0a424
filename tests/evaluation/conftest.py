import numpy as np
import pytest

from keras_vae import VAE
from keras_vae import GaussianLikelihood
from keras_vae import MLPDecoder
from keras_vae import MLPEncoder


def _vae_with_posterior(kernel, log_var, **kwargs):
    """A VAE with q(z|x) = N(x @ kernel, exp(log_var)), for x (N, S) and kernel (S, D)."""
    kernel, log_var = np.asarray(kernel, "float32"), np.asarray(log_var, "float32")
    size, latent_dim = kernel.shape
    encoder = MLPEncoder((size,), latent_dim, hidden_units=())
    encoder.get_layer("z_mean").set_weights([kernel, np.zeros(latent_dim)])
    encoder.get_layer("z_log_var").set_weights([np.zeros_like(kernel), log_var])
    decoder = MLPDecoder((size,), latent_dim, hidden_units=())
    return VAE(encoder, decoder, GaussianLikelihood(1.0), seed=0, **kwargs)


@pytest.fixture
def vae_with_posterior():
    return _vae_with_posterior
