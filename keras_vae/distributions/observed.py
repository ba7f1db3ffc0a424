"""The distribution of partly observed data, in which NaN marks missing values."""

from collections.abc import Sequence

from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class Observed(Distribution):
    """A distribution of independent elements whose `log_prob` sums over those that are not NaN.

    `log p(x_observed) = sum_{i observed} log p(x_i)`: as the elements are independent given z, the
    others integrate to 1. Draws and means are of all elements.

    Args:
        base: `Distribution` of independent elements, with a finite log-probability at 1.

    Example:

    >>> likelihood = Observed(DiagonalGaussian(mean, log_var))
    >>> likelihood.log_prob([[0.3, np.nan]])  # of the first element

    Reference:
        - [Mattei and Frellsen, 2019](https://arxiv.org/abs/1812.02633), equation 3
    """

    def __init__(self, base: Distribution) -> None:
        self.base = base
        self.is_discrete = base.is_discrete
        super().__init__(base.shape, base.batch_ndims)

    @property
    def mean(self) -> Tensor:
        """The expectation of the base."""
        return self.base.mean

    @property
    def mode(self) -> Tensor:
        """The mode of the base."""
        return self.base.mode

    def _log_prob(self, x: Tensor) -> Tensor:
        # 1 lies in the support of every likelihood here. Its cost is replaced, so that neither a
        # NaN nor a gradient results from it.
        is_missing = ops.isnan(x)
        log_prob = self.base._log_prob(ops.where(is_missing, 1.0, x))
        return ops.where(is_missing, 0.0, log_prob)

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        return ops.cast(self.base._sample(shape, seed), "float32")
