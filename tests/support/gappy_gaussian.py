"""A linear-Gaussian model of rows with gaps, whose likelihood and imputations are known."""

import keras
import numpy as np
from scipy import stats

import keras_vae

SIGMA = 0.6
WEIGHTS = np.array([[1.0, 0.5, -0.8, 0.3], [0.2, -0.7, 0.4, 0.9]])  # (D, S)
MEAN = np.array([0.5, -1.0, 0.0, 2.0])


def gappy_vae(family=keras_vae.VAE, **options):
    """Returns a model with p(x|z) = N(W'z + m, sigma^2), and q(z|x) near p(z|x)."""
    inner = keras_vae.MLPEncoder((8,), 2, hidden_units=())
    encoder = keras.Sequential([keras.Input((4,)), keras_vae.ObservedValues(), inner])
    decoder = keras_vae.MLPDecoder((4,), 2, hidden_units=())
    gain = 0.5 * WEIGHTS.T  # (S, D); of the mask, what the mean contributes
    inner.get_layer("z_mean").set_weights([np.vstack([gain, -MEAN[:, None] * gain]), np.zeros(2)])
    inner.get_layer("z_log_var").set_weights([np.zeros((8, 2)), np.full(2, 0.1)])
    decoder.get_layer("output").set_weights([WEIGHTS])
    decoder.set_output_bias(MEAN)
    likelihood = keras_vae.ObservedLikelihood(keras_vae.GaussianLikelihood(SIGMA))
    return family(encoder, decoder, likelihood=likelihood, seed=0, **options)


def rows_with_gaps(size=6):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(size, 2)) @ WEIGHTS + MEAN + SIGMA * rng.normal(size=(size, 4))
    x[rng.random(x.shape) < 0.4] = np.nan
    x[0] = np.nan  # nothing is known
    return x.astype("float32")


def closed_form(x):
    """Returns log p(x_observed) (N,), and mean and standard deviation of every gap (N, S)."""
    covariance = WEIGHTS.T @ WEIGHTS + SIGMA**2 * np.eye(4)
    log_p, means, spreads = np.zeros(len(x)), x.astype("float64").copy(), np.zeros(x.shape)
    for i, row in enumerate(x):
        gap = np.isnan(row)
        seen = ~gap
        if seen.any():
            block = covariance[np.ix_(seen, seen)]
            log_p[i] = stats.multivariate_normal(MEAN[seen], block).logpdf(row[seen])
            gain = covariance[np.ix_(gap, seen)] @ np.linalg.inv(block)
        else:
            gain = np.zeros((gap.sum(), 0))
        means[i, gap] = MEAN[gap] + gain @ (row[seen] - MEAN[seen])
        rest = covariance[np.ix_(gap, gap)] - gain @ covariance[np.ix_(seen, gap)]
        spreads[i, gap] = np.sqrt(np.diag(rest))
    return log_p, means, spreads
