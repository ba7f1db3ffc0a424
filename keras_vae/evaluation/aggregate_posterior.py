"""The mixture of the posteriors of all examples, and draws from it."""

import math
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_vae.batching import map_batches
from keras_vae.checks import check_count
from keras_vae.distributions import kl_divergence
from keras_vae.evaluation.latent_usage import check_gaussian
from keras_vae.evaluation.latent_usage import posterior_of
from keras_vae.typing import Array
from keras_vae.typing import Shape
from keras_vae.typing import Tensor

LOG_2_PI = math.log(2 * math.pi)
MAX_NUMBERS = 200_000  # log-densities held at once: 1.6 MB, which fits into the cache


class PosteriorDraws(NamedTuple):
    """K draws z from each of the N posteriors q(z|x_n) of a model, in float64.

    Together they are draws from the aggregate posterior q(z) = 1/N sum_n q(z|x_n). The axes of
    the latents are flattened to one of length D.

    Attributes:
        arrays: Tuple of arrays: x (N, *S), and its conditions if the model is conditional.
        latent_shape: Tuple of ints, the shape of one latent.
        mean: Array (N, D), the means of the posteriors.
        log_var: Array (N, D), the log-variances of the posteriors.
        noise: Array (N, K, D), the standard normal noise of the draws.
    """

    arrays: tuple[np.ndarray, ...]
    latent_shape: Shape
    mean: np.ndarray
    log_var: np.ndarray
    noise: np.ndarray

    @property
    def z(self) -> np.ndarray:
        """The draws (N, K, D)."""
        return self.mean[:, None] + np.exp(0.5 * self.log_var[:, None]) * self.noise

    def log_posterior(self) -> np.ndarray:
        """Returns log q(z|x_n) of each draw from it, an array (N, K) in nats."""
        # (z - mean)^2 / var is noise^2 exactly, without the rounding of z.
        return -0.5 * np.sum(self.noise**2 + self.log_var[:, None] + LOG_2_PI, axis=-1)

    def log_aggregate(self) -> np.ndarray:
        """Returns log q(z) of each draw, an array (N, K) in nats."""
        return log_mixture(self.z, self.mean, self.log_var)

    def log_marginals(self) -> np.ndarray:
        """Returns sum_j log q(z_j) of each draw, an array (N, K) in nats."""
        parameters = self.z, self.mean, self.log_var
        dimensions = range(self.mean.shape[1])
        each = (log_mixture(*[a[..., j : j + 1] for a in parameters]) for j in dimensions)
        return np.asarray(sum(each))

    def kl(self, model: keras.Model) -> np.ndarray:
        """Returns KL(q(z|x_n) || p(z)) of each example, an array (N,) in nats.

        Without a closed form, it is estimated from the draws.
        """

        def per_example(z: Tensor, x: Tensor, *condition: Tensor) -> Tensor:
            sample = ops.moveaxis(z, 1, 0)  # (K, B, ...)
            posterior, prior = (
                model.encode(x, *condition),
                model.prior_given(model.embedded(*condition)),
            )
            kl = kl_divergence(posterior, prior, sample=sample)
            return ops.mean(kl, axis=0) if len(kl.shape) > 1 else kl

        z = self.z.astype("float32").reshape(*self.noise.shape[:2], *self.latent_shape)
        kl = map_batches(model, per_example, z, *self.arrays, key="kl of draws")
        return kl.astype("float64")


def draw_posteriors(
    model: keras.Model,
    x: Array,
    num_samples: int,
    seed: int | None = None,
    condition: Array | None = None,
) -> PosteriorDraws:
    """Draws latents from the posterior of each example.

    Args:
        model: Model whose `encode` returns a diagonal Gaussian.
        x: Array (N, *S) of at least two examples.
        num_samples: Positive integer K, the number of draws for each example.
        seed: Integer, for the same draws on every backend, or `None` for fresh draws.
        condition: Array (N, ...), the conditions, if the model is conditional.

    Returns:
        `PosteriorDraws`.

    Raises:
        ValueError: If `num_samples` is not a positive integer, if `x` holds fewer than two
            examples or is not valid data for the model, or if the posterior is not a diagonal
            Gaussian.
    """
    num_samples = check_count("num_samples", num_samples)
    arrays = model.check_inputs(x, condition)
    num_examples = len(arrays[0])
    if num_examples < 2:
        raise ValueError(
            f"`x` must hold at least two examples, for z to distinguish. Received: {num_examples}. "
            "Use a few thousand."
        )

    def parameters(x: Tensor, *condition: Tensor) -> tuple[Tensor, Tensor]:
        posterior = posterior_of(model, x, *condition)
        check_gaussian(posterior, "q(z|x)")
        return posterior.mean, ops.broadcast_to(posterior.log_var, ops.shape(posterior.mean))

    mean, log_var = map_batches(model, parameters, *arrays, key="posterior parameters")
    latent_shape = mean.shape[1:]
    mean, log_var = (a.astype("float64").reshape(num_examples, -1) for a in (mean, log_var))
    size = (num_examples, num_samples, mean.shape[1])
    noise = np.random.default_rng(seed).standard_normal(size)
    return PosteriorDraws(arrays, latent_shape, mean, log_var, noise)


def log_mixture(z: np.ndarray, mean: np.ndarray, log_var: np.ndarray) -> np.ndarray:
    """Computes log 1/N sum_n N(z; mean_n, exp(log_var_n)).

    It works in tiles, so that memory does not grow with N^2.

    Args:
        z: Float64 array (..., D).
        mean: Float64 array (N, D).
        log_var: Float64 array (N, D).

    Returns:
        Float64 array (...), in nats.
    """
    precision = np.exp(-log_var)
    # -1/2 sum_j [z^2 / v - 2 z m / v] is one matrix product; the terms without z are added to it.
    slopes = np.concatenate([-0.5 * precision, mean * precision], axis=1).T  # (2D, N)
    offsets = -0.5 * np.sum(mean**2 * precision + log_var + LOG_2_PI, axis=1)  # (N,)
    rows = z.reshape(-1, z.shape[-1])
    log_q = np.empty(len(rows))
    height = max(1, MAX_NUMBERS // len(mean))
    for start in range(0, len(rows), height):
        tile = rows[start : start + height]
        log_n = np.concatenate([tile**2, tile], axis=1) @ slopes + offsets  # (height, N)
        # log-mean-exp, shifted by the largest so that the exponentials do not all underflow.
        largest = log_n.max(axis=1)
        log_n -= largest[:, None]
        np.exp(log_n, out=log_n)
        log_q[start : start + height] = largest + np.log(log_n.mean(axis=1))
    return log_q.reshape(z.shape[:-1])
