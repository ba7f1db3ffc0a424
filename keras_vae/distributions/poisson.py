"""Poisson distribution of independent counts."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.distributions.bounds import soft_bound
from keras_vae.distributions.gamma import deviance
from keras_vae.distributions.gamma import stirling_excess
from keras_vae.typing import Seed
from keras_vae.typing import Tensor

_SMALL = 10.0  # rates up to here are drawn by inversion
_MOST = 60  # counts that a rate of 10 exceeds with a probability of 1e-27
_PROPOSALS = 16  # per draw at a larger rate, each accepted with a probability of at least 0.75


class Poisson(Distribution):
    """Independent counts with the rates `exp(log_rate)`.

    `log p(x) = sum_i x_i log_rate_i - exp(log_rate_i) - log(x_i!)`

    It is computed as minus a deviance and the remainder of Stirling's formula (Loader), so that
    counts up to 1e8 keep their digits in float32.

    Args:
        log_rate: Tensor of shape `batch + event`. It is bounded by `soft_bound`, which is the
            identity up to 20 (a rate of 5e8) and logarithmic beyond.
        batch_ndims: Number of leading batch axes. Defaults to 1.

    Example:

    >>> counts = Poisson(decoder(z))  # (B, 33)
    >>> counts.log_prob(x)  # (B,) nats
    """

    is_discrete = True

    def __init__(self, log_rate: Tensor, batch_ndims: int = 1) -> None:
        self.log_rate = soft_bound(as_float32(log_rate))
        super().__init__(ops.shape(self.log_rate), batch_ndims)

    @property
    def mean(self) -> Tensor:
        """The rate."""
        return ops.exp(self.log_rate)

    @property
    def mode(self) -> Tensor:
        """The rate, rounded down."""
        return ops.floor(self.mean)

    def _log_prob(self, x: Tensor) -> Tensor:
        rate = self.mean
        return -stirling_excess(x) - deviance(x, rate, x - rate)

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        return sample_poisson(ops.broadcast_to(self.mean, shape), seed)


def sample_poisson(rate: Tensor, seed: Seed) -> Tensor:
    """Draws a count, float32, for each rate; `keras.random` has no such function.

    Small rates are drawn by inversion, others by a fixed number of proposals of the transformed
    rejection method, the first accepted of which is taken: no loop whose length depends on values.

    Args:
        rate: Float32 tensor of numbers of at least 0.
        seed: Integer or `keras.random.SeedGenerator`.

    Returns:
        Float32 tensor of the shape of `rate`.

    Reference:
        - [Hörmann, 1993](https://doi.org/10.1016/0167-6687(93)90997-4), "The transformed rejection
          method for generating Poisson random variables", algorithm PTRS
    """
    shape = ops.shape(rate)
    # One draw, of which inversion uses the first part.
    u = keras.random.uniform((2, _PROPOSALS, *shape), dtype="float32", seed=seed)
    return ops.where(rate < _SMALL, _inverted(rate, u[0, 0]), _proposed(rate, u[0], u[1]))


def _inverted(rate, u):
    # `where` computes both branches: rates of the other branch are clipped to keep this one finite.
    rate = ops.minimum(rate, _SMALL)
    counts = ops.reshape(ops.arange(_MOST, dtype="float32"), (-1, *[1] * len(rate.shape)))
    log_p = counts * ops.log(ops.maximum(rate, 1e-30)) - rate - _log_factorial(counts)
    cumulative = ops.cumsum(ops.exp(log_p), axis=0)
    # In float32 the sum ends just below or above 1, which the largest u would exceed.
    return ops.sum(ops.cast(cumulative < u * cumulative[-1], "float32"), axis=0)


def _proposed(rate, u, v):
    rate = ops.maximum(rate, _SMALL)
    # Constants of the paper's algorithm.
    b = 0.931 + 2.53 * ops.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    u = u - 0.5
    # The envelope is infinite at us = 0, and v = 0 has no logarithm.
    us = ops.maximum(0.5 - ops.abs(u), 1e-7)
    k = ops.floor((2.0 * a / us + b) * u + rate + 0.43)
    is_count = k >= 0
    k = ops.maximum(k, 0.0)
    log_p = -stirling_excess(k) - deviance(k, rate, k - rate)
    log_v = ops.log(ops.maximum(v, 1e-30)) + ops.log(inverse_alpha)
    accepted = ops.logical_and(is_count, log_v - ops.log(a / ops.square(us) + b) <= log_p)
    first = ops.argmax(ops.cast(accepted, "int32"), axis=0)
    return ops.squeeze(ops.take_along_axis(k, ops.expand_dims(first, 0), axis=0), 0)


def _log_factorial(x):
    # x log(x) is 0 at x = 0.
    return stirling_excess(x) + x * ops.log(ops.maximum(x, 1e-30)) - x
