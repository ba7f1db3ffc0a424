"""The model with two stochastic layers whose marginal likelihood and posteriors are known."""

import numpy as np
from scipy import stats

import keras_vae
from keras_vae.models import HierarchicalVAE
from keras_vae.models import LadderVAE

DATA_DIM, DIMS = 6, (3, 2)  # of x, and of z_1 and z_2
RNG = np.random.default_rng(0)
SCALES = np.array([0.5, 1.0, 1.5])
BASIS = np.linalg.qr(RNG.standard_normal((DATA_DIM, DIMS[0])))[0].T  # orthonormal rows
LOADINGS = np.array([0.8, 1.3])
MEAN, MEAN_1 = RNG.standard_normal(DATA_DIM), np.array([0.3, -0.2, 0.5])
VAR_X, VAR_1 = 0.5, 0.4
UP, DOWN = BASIS.T, BASIS * SCALES[:, None]  # x to its coordinates, z_1 to x

# z_2 ~ N(0, 1), z_1 ~ N(LOADINGS z_2 + MEAN_1, VAR_1), x ~ N(DOWN' z_1 + MEAN, VAR_X). The
# coordinates of z_1 do not mix, so every posterior is diagonal.
ABOVE = np.eye(2, 3) * LOADINGS[:, None]  # z_2 to z_1
PRIOR_VAR_1 = np.sum(ABOVE**2, axis=0) + VAR_1


def set_gaussian(network, kernel, bias, variance, error=0.0):
    network.get_layer("z_mean").set_weights([kernel, bias])
    log_var = np.broadcast_to(np.log(variance) + error, kernel.shape[1:])
    network.get_layer("z_log_var").set_weights([np.zeros(kernel.shape), log_var])


def linear(in_dim, out_dim, num_outputs=2):
    return keras_vae.MLPEncoder((in_dim,), out_dim, (), num_outputs=num_outputs)


def decoders():
    decoder, prior = keras_vae.MLPDecoder((DATA_DIM,), DIMS[0], ()), linear(DIMS[1], DIMS[0])
    decoder.get_layer("output").set_weights([DOWN])
    decoder.set_output_bias(MEAN)
    set_gaussian(prior, ABOVE, MEAN_1, VAR_1)
    return [decoder, prior]


def bottom_up_model(error=0.0):
    """Returns a `HierarchicalVAE` whose log-variances are the exact posteriors' plus `error`."""
    first, second = linear(DATA_DIM, DIMS[0]), linear(*DIMS)
    variance = 1 / (1 / PRIOR_VAR_1 + SCALES**2 / VAR_X)  # of p(z_1|x)
    kernel = UP * SCALES / VAR_X * variance
    set_gaussian(first, kernel, variance * MEAN_1 / PRIOR_VAR_1 - MEAN @ kernel, variance, error)
    variance = 1 / (1 + LOADINGS**2 / VAR_1)  # of p(z_2|z_1)
    kernel = ABOVE.T / VAR_1 * variance
    set_gaussian(second, kernel, -MEAN_1 @ kernel, variance, error)
    likelihood = keras_vae.GaussianLikelihood(VAR_X**0.5)
    return HierarchicalVAE([first, second], decoders(), likelihood, seed=0)


def ladder_model(error=0.0):
    """Returns a `LadderVAE` whose log-variances are the exact ones plus `error`."""
    first, second = linear(DATA_DIM, DIMS[0], num_outputs=3), linear(DATA_DIM, DIMS[1])
    kernel = UP / SCALES  # what x says of z_1, without its prior
    set_gaussian(first, kernel, -MEAN @ kernel, VAR_X / SCALES**2, error)
    noise = (VAR_X / SCALES**2 + VAR_1)[:2]
    variance = 1 / (1 + LOADINGS**2 / noise)  # of p(z_2|x)
    gain = LOADINGS / noise * variance
    kernel = kernel[:, :2] * gain
    set_gaussian(second, kernel, -MEAN @ kernel - MEAN_1[:2] * gain, variance, error)
    likelihood = keras_vae.GaussianLikelihood(VAR_X**0.5)
    return LadderVAE([first, second], decoders(), likelihood, seed=0)


def marginal():
    """Returns p(x), a SciPy distribution."""
    covariance = DOWN.T @ np.diag(PRIOR_VAR_1) @ DOWN + VAR_X * np.eye(DATA_DIM)
    return stats.multivariate_normal(MEAN_1 @ DOWN + MEAN, covariance)
