"""Laplace distribution of independent elements."""

import math
from collections.abc import Sequence

import keras
from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.distributions.bounds import soft_bound
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class Laplace(Distribution):
    """Independent elements that cost their absolute error.

    `log p(x) = sum_i -|x_i - m_i| / s_i - log(2 s_i)`

    Args:
        location: Tensor of shape `batch + event`, m.
        log_scale: Tensor, log s, of any shape that broadcasts to that of `location`. It is bounded
            by `soft_bound`, which is the identity up to 20 and logarithmic beyond.
        batch_ndims: Number of leading batch axes. Defaults to 1.

    Example:

    >>> robust = Laplace(location, log_scale)  # (B, 21)
    """

    def __init__(self, location: Tensor, log_scale: Tensor, batch_ndims: int = 1) -> None:
        self.location = as_float32(location)
        self.log_scale = soft_bound(as_float32(log_scale))
        super().__init__(ops.shape(self.location), batch_ndims)

    @property
    def mean(self) -> Tensor:
        """The location."""
        return self.location

    @property
    def mode(self) -> Tensor:
        """The location."""
        return self.location

    def _log_prob(self, x: Tensor) -> Tensor:
        distance = ops.abs(x - self.location) * ops.exp(-self.log_scale)
        return -distance - self.log_scale - math.log(2.0)

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        u = keras.random.uniform(shape, -0.5, 0.5, dtype="float32", seed=seed)
        # Just short of 1/2, where the quantile is infinite.
        tail = ops.log1p(-2.0 * ops.minimum(ops.abs(u), 0.5 - 1e-7))
        return self.location - ops.exp(self.log_scale) * ops.sign(u) * tail
