"""Student's t-distribution of independent elements."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.distributions.bounds import soft_bound
from keras_vae.distributions.gamma import stirling_excess
from keras_vae.noise import seed_of_part
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class StudentT(Distribution):
    """Independent elements with heavy tails: an outlier costs the logarithm of its distance.

    `log p(x) = sum_i log Gamma((v + 1)/2) - log Gamma(v/2) - 1/2 log(v pi) - log s_i
    - (v + 1)/2 log(1 + ((x_i - m_i) / s_i)^2 / v)`

    Args:
        location: Tensor of shape `batch + event`, m.
        log_scale: Tensor, log s, of any shape that broadcasts to that of `location`. It is bounded
            by `soft_bound`, which is the identity up to 20 and logarithmic beyond.
        degrees_of_freedom: Positive number or tensor, v. With 1 it is a Cauchy distribution; as v
            grows it becomes a Gaussian.
        batch_ndims: Number of leading batch axes. Defaults to 1.

    Example:

    >>> heavy = StudentT(location, log_scale, degrees_of_freedom=4.0)  # (B, 21)
    """

    def __init__(
        self,
        location: Tensor,
        log_scale: Tensor,
        degrees_of_freedom: Tensor,
        batch_ndims: int = 1,
    ) -> None:
        self.location = as_float32(location)
        self.log_scale = soft_bound(as_float32(log_scale))
        self.degrees_of_freedom = as_float32(degrees_of_freedom)
        super().__init__(ops.shape(self.location), batch_ndims)

    @property
    def mean(self) -> Tensor:
        """The location, the expectation if `degrees_of_freedom` exceeds 1."""
        return self.location

    @property
    def mode(self) -> Tensor:
        """The location."""
        return self.location

    def _log_prob(self, x: Tensor) -> Tensor:
        v = self.degrees_of_freedom
        return _log_constant(v) - self.log_scale - 0.5 * (v + 1.0) * self._log1p_square(x)

    def _log1p_square(self, x):
        """Returns log(1 + t^2 / v), from the logarithm of t^2 where t^2 would overflow."""
        difference = x - self.location
        log_unit = self.log_scale + 0.5 * ops.log(self.degrees_of_freedom)
        # Each branch gets numbers that are harmless to it: `where` multiplies the gradient of the
        # branch not taken by 0, and 0 times infinity would be NaN.
        log_t = ops.log(ops.maximum(ops.abs(difference), 1e-37)) - log_unit
        is_far = log_t > 20.0
        near = ops.where(is_far, 0.0, difference) * ops.exp(-ops.where(is_far, 0.0, log_unit))
        return ops.where(is_far, 2.0 * log_t, ops.log1p(ops.square(near)))

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        half = ops.broadcast_to(0.5 * self.degrees_of_freedom, shape)
        normal = keras.random.normal(shape, dtype="float32", seed=seed)
        # A gamma variable of mean 1, kept off 0.
        seed = seed_of_part(seed, "gamma")
        precision = keras.random.gamma(shape, half, dtype="float32", seed=seed) / half
        t = normal / ops.sqrt(ops.maximum(precision, 1e-12))
        return self.location + ops.exp(self.log_scale) * t


def _log_constant(v):
    """Returns log Gamma((v + 1)/2) - log Gamma(v/2) - 1/2 log(v pi), stable for every v."""
    a = 0.5 * v
    b = a + 0.5
    # log Gamma(a) = g(a) + (a - 1) log a - a, with g the excess over Stirling's formula. The
    # remaining log b cancels with log(v pi) / 2.
    difference = stirling_excess(b) - stirling_excess(a)
    return difference + (a - 0.5) * ops.log1p(0.5 / a) - 0.5 - 0.5 * np.log(2.0 * np.pi)
