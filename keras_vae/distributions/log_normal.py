"""Log-normal distribution of independent positive elements."""

from collections.abc import Sequence

from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.diagonal_gaussian import DiagonalGaussian
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class LogNormal(Distribution):
    """Independent positive elements whose logarithms are Gaussian.

    `log p(x) = sum_i log N(log x_i; mean_i, exp(log_var_i)) - log x_i`

    Args:
        log_mean: Tensor of shape `batch + event`, the mean of log x.
        log_var: Tensor, the log-variance of log x, as for `DiagonalGaussian`.
        batch_ndims: Number of leading batch axes. Defaults to 1.

    Example:

    >>> incomes = LogNormal(log_mean, log_var)  # (B, 3)
    """

    def __init__(self, log_mean: Tensor, log_var: Tensor, batch_ndims: int = 1) -> None:
        self.of_log = DiagonalGaussian(log_mean, log_var, batch_ndims)
        super().__init__(self.of_log.shape, batch_ndims)

    @property
    def mean(self) -> Tensor:
        """The expectation, bounded to a finite float32."""
        half_variance = 0.5 * ops.exp(self.of_log.log_var)
        return _exp(self.of_log.mean + half_variance)

    @property
    def median(self) -> Tensor:
        """The value that half of the draws exceed."""
        return _exp(self.of_log.mean)

    @property
    def mode(self) -> Tensor:
        """The value of the highest density."""
        return _exp(self.of_log.mean - ops.exp(self.of_log.log_var))

    def _log_prob(self, x: Tensor) -> Tensor:
        log_x = ops.log(x)
        return self.of_log._log_prob(log_x) - log_x

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        return _exp(self.of_log._sample(shape, seed))


def _exp(value):
    # The range in which the exponential is a normal float32, neither 0 nor infinite.
    return ops.exp(ops.clip(value, -87.0, 88.0))
