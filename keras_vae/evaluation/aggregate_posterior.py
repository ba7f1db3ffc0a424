"""The mixture of the posteriors of all examples, and draws from it."""

import math
from typing import NamedTuple

import numpy as np
from keras import ops

from keras_vae.batching import map_batches
from keras_vae.distributions import kl_divergence
from keras_vae.evaluation.latent_usage import check_gaussian
from keras_vae.evaluation.latent_usage import posterior_of

LOG_2_PI = math.log(2 * math.pi)
MAX_NUMBERS = 200_000  # log-densities held at once: 1.6 MB, so that they stay in the cache


class PosteriorDraws(NamedTuple):
    """K draws z from each of the N posteriors q(z|x_n) of a model, in float64.

    Together they are draws from the aggregate posterior q(z) = 1/N sum_n q(z|x_n). The axes of
    the latent are flattened to D.

    Attributes:
        arrays: tuple, x (N, S) or x and its conditions.
        latent_shape: tuple.
        mean: array (N, D).
        log_var: array (N, D).
        noise: array (N, K, D), standard normal.
    """

    arrays: tuple
    latent_shape: tuple
    mean: np.ndarray
    log_var: np.ndarray
    noise: np.ndarray

    @property
    def z(self):
        """The draws, (N, K, D)."""
        return self.mean[:, None] + np.exp(0.5 * self.log_var[:, None]) * self.noise

    def log_posterior(self):
        """Returns log q(z|x_n) of each draw from it, (N, K) nats."""
        return -0.5 * np.sum(self.noise**2 + self.log_var[:, None] + LOG_2_PI, axis=-1)

    def log_aggregate(self):
        """Returns log q(z) of each draw, (N, K) nats."""
        return log_mixture(self.z, self.mean, self.log_var)

    def log_marginals(self):
        """Returns sum_j log q(z_j) of each draw, (N, K) nats."""
        parameters = self.z, self.mean, self.log_var
        dimensions = range(self.mean.shape[1])
        return sum(log_mixture(*[a[..., j : j + 1] for a in parameters]) for j in dimensions)

    def kl(self, model):
        """Returns KL(q(z|x_n) || p(z)), (N,) nats: in closed form, or estimated by the draws."""

        def per_example(z, x, *condition):
            sample = ops.moveaxis(z, 1, 0)  # (K, B, ...)
            posterior, prior = (
                model.encode(x, *condition),
                model.prior_given(model.embedded(*condition)),
            )
            kl = kl_divergence(posterior, prior, sample=sample)
            return ops.mean(kl, axis=0) if len(kl.shape) > 1 else kl

        z = self.z.astype("float32").reshape(*self.noise.shape[:2], *self.latent_shape)
        return map_batches(model, per_example, z, *self.arrays).astype("float64")


def draw_posteriors(model, x, num_samples, seed=None, condition=None):
    """Returns `PosteriorDraws` of a model, `num_samples` of each example.

    Args:
        model: model whose `encode` returns a diagonal Gaussian.
        x: array (N, S), at least two examples.
        num_samples: int, K.
        seed: int, the same draws again on every backend; `None` for fresh ones.
        condition: conditions (N, ...) of a conditional model.

    Raises:
        ValueError: an argument that is not as above, or another posterior.
    """
    is_integer = isinstance(num_samples, int | np.integer) and not isinstance(num_samples, bool)
    if not is_integer or num_samples < 1:
        raise ValueError(f"`num_samples` must be a positive integer. Received: {num_samples!r}.")
    arrays = model.check_inputs(x, condition)
    num_examples = len(arrays[0])
    if num_examples < 2:
        raise ValueError(
            "`x` must hold at least two examples, which z could tell apart. Received: "
            f"{num_examples}. Give some thousands."
        )

    def parameters(x, *condition):
        posterior = posterior_of(model, x, *condition)
        check_gaussian(posterior, "q(z|x)")
        return posterior.mean, ops.broadcast_to(posterior.log_var, ops.shape(posterior.mean))

    mean, log_var = map_batches(model, parameters, *arrays)
    latent_shape = mean.shape[1:]
    mean, log_var = (a.astype("float64").reshape(num_examples, -1) for a in (mean, log_var))
    size = (num_examples, num_samples, mean.shape[1])
    noise = np.random.default_rng(seed).standard_normal(size)
    return PosteriorDraws(arrays, latent_shape, mean, log_var, noise)


def log_mixture(z, mean, log_var):
    """Returns log 1/N sum_n N(z; mean_n, exp(log_var_n)), in tiles: memory does not grow with N^2.

    Args:
        z: float64 array (..., D).
        mean: float64 array (N, D).
        log_var: float64 array (N, D).

    Returns:
        Float64 array (...), nats.
    """
    precision = np.exp(-log_var)
    # -1/2 sum_j [z^2 / v - 2 z m / v] is one matrix product; what is without z is added to it.
    slopes = np.concatenate([-0.5 * precision, mean * precision], axis=1).T  # (2D, N)
    offsets = -0.5 * np.sum(mean**2 * precision + log_var + LOG_2_PI, axis=1)  # (N,)
    rows = z.reshape(-1, z.shape[-1])
    log_q = np.empty(len(rows))
    height = max(1, MAX_NUMBERS // len(mean))
    for start in range(0, len(rows), height):
        tile = rows[start : start + height]
        log_n = np.concatenate([tile**2, tile], axis=1) @ slopes + offsets  # (height, N)
        largest = log_n.max(axis=1)
        log_n -= largest[:, None]
        np.exp(log_n, out=log_n)
        log_q[start : start + height] = largest + np.log(log_n.mean(axis=1))
    return log_q.reshape(z.shape[:-1])
