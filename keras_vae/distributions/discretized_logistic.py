"""Logistic distribution, discretised to the grey levels of an image."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.distributions.bounds import soft_bound
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class DiscretizedLogistic(Distribution):
    """Grey levels `k / (num_bins - 1)`, each with the logistic mass between its two edges.

    `P(x) = sigmoid(b) - sigmoid(a)`, with `a, b = (x -+ 1/2 / (num_bins - 1) - mean) / scale`,
    where the first bin extends to `a = -inf` and the last bin to `b = +inf`, so that the masses
    sum to 1: equation (2) of Salimans et al. Its logarithm is

    `log P(x) = log sigmoid(b) + log sigmoid(-a) + log(1 - exp(-(b - a)))`,

    three terms of the same sign: exact in both tails, without a threshold or an epsilon.

    Data are rounded to the nearest level. They must be scaled to [0, 1]: values from 0 to 255 lie
    far outside and have extremely low log-probabilities.

    Args:
        mean: Tensor of shape `batch + event`, the location of the logistic in units of the data.
        log_scale: Tensor, the logarithm of its scale, of any shape that broadcasts to that of
            `mean`. It is bounded by `soft_bound`, which is the identity up to 20 and logarithmic
            beyond.
        num_bins: Integer, the number of grey levels. Defaults to 256.
        batch_ndims: Number of leading batch axes. Defaults to 1.

    Raises:
        ValueError: If `num_bins` is less than 2.

    Example:

    >>> likelihood = DiscretizedLogistic(mean, log_scale)  # (B, 28, 20, 1)
    >>> likelihood.log_prob(x)  # (B,) nats: discrete, so never positive

    Reference:
        - [Kingma et al., 2016](https://arxiv.org/abs/1606.04934)
        - [Salimans et al., 2017](https://arxiv.org/abs/1701.05517)
    """

    is_discrete = True

    def __init__(
        self, mean: Tensor, log_scale: Tensor, num_bins: int = 256, batch_ndims: int = 1
    ) -> None:
        if num_bins < 2:
            raise ValueError(f"`num_bins` must be at least 2. Received: num_bins={num_bins}.")
        self.location = as_float32(mean)
        self.log_scale = soft_bound(as_float32(log_scale))
        self.num_bins = num_bins
        super().__init__(ops.shape(self.location), batch_ndims)

    @property
    def mean(self) -> Tensor:
        """The location clipped to [0, 1], which is close to the exact expectation."""
        return ops.clip(self.location, 0.0, 1.0)

    @property
    def mode(self) -> Tensor:
        """The level nearest to the location; for a large scale, an edge bin may have more mass."""
        return self._nearest_level(self.location)

    def _log_prob(self, x: Tensor) -> Tensor:
        last = self.num_bins - 1
        level = ops.round(x * last)
        distance = level - self.location * last  # in bins
        width = ops.exp(-self.log_scale) / last  # of a bin in units of the scale: b - a
        is_first, is_last = ops.equal(level, 0.0), ops.equal(level, last)
        # Both branches of each `where` are finite, so the branch not taken adds no NaN to the
        # gradient.
        below_b = ops.where(is_last, 0.0, ops.log_sigmoid((distance + 0.5) * width))
        above_a = ops.where(is_first, 0.0, ops.log_sigmoid((0.5 - distance) * width))
        edge = ops.logical_or(is_first, is_last)
        # log(1 - exp(-width)) by expm1 keeps its digits if the bin is narrow.
        return below_b + above_a + ops.where(edge, 0.0, ops.log(-ops.expm1(-width)))

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        noise = standard_logistic(shape, seed)
        return self._nearest_level(self.location + ops.exp(self.log_scale) * noise)

    def _nearest_level(self, value: Tensor) -> Tensor:
        last = self.num_bins - 1
        return ops.round(ops.clip(value, 0.0, 1.0) * last) / last


def standard_logistic(shape: Sequence[int], seed: Seed = None) -> Tensor:
    """Draws float32 numbers from the logistic distribution of location 0 and scale 1."""
    # The lower bound keeps log(u) finite.
    u = keras.random.uniform(shape, minval=1e-7, dtype="float32", seed=seed)
    return ops.log(u) - ops.log1p(-u)
