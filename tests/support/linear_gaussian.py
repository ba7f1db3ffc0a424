"""The one VAE whose marginal likelihood is known: probabilistic PCA (Tipping, Bishop 1999)."""

import numpy as np
from scipy import stats

import keras_vae


def linear_gaussian_vae(data_dim=6, latent_dim=3, posterior_error=0.0, seed=0):
    """Returns a VAE with p(x|z) = N(W'z + m, sigma^2), and its parameters.

    Its q(z|x) is diagonal and has the exact posterior's mean and variances, widened by
    `posterior_error`. W has orthogonal rows, so the exact posterior is diagonal too.
    """
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((data_dim, latent_dim)))[0].T
    weights = basis * np.linspace(0.5, 1.5, latent_dim)[:, None]  # (D, S)
    mean, sigma = rng.standard_normal(data_dim), 0.7
    variance = 1 / (1 + np.sum(weights**2, axis=1) / sigma**2)  # of the posterior, (D,)
    gain = (weights / sigma**2 * variance[:, None]).T  # (S, D)

    encoder = keras_vae.MLPEncoder((data_dim,), latent_dim, hidden_units=())
    decoder = keras_vae.MLPDecoder((data_dim,), latent_dim, hidden_units=())
    encoder.get_layer("z_mean").set_weights([gain, -mean @ gain])
    log_var = np.log(variance) + posterior_error
    encoder.get_layer("z_log_var").set_weights([np.zeros((data_dim, latent_dim)), log_var])
    decoder.get_layer("output").set_weights([weights])
    decoder.set_output_bias(mean)
    likelihood = keras_vae.GaussianLikelihood(sigma)
    model = keras_vae.VAE(encoder, decoder, likelihood, seed=0, name="ppca")
    return model, {"weights": weights, "mean": mean, "sigma": sigma, "variance": variance}


def log_marginal(x, parameters):
    """log N(x; m, W'W + sigma^2 I), (N,) nats."""
    weights, sigma = parameters["weights"], parameters["sigma"]
    covariance = weights.T @ weights + sigma**2 * np.eye(weights.shape[1])
    return stats.multivariate_normal(parameters["mean"], covariance).logpdf(x)
