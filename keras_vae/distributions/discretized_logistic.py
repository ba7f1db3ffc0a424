"""Logistic distribution, discretised to the grey levels of a picture."""

import keras
from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.distributions.bounds import soft_bound


class DiscretizedLogistic(Distribution):
    """Grey levels `k / (num_bins - 1)`, each with the logistic mass between its two edges.

    `P(x) = sigmoid(b) - sigmoid(a)`, with `a, b = (x -+ 1/2 / (num_bins - 1) - mean) / scale`,
    where the first bin reaches down to `a = -inf` and the last up to `b = +inf`, so that the masses
    sum to 1: equation (2) of Salimans et al. In logarithms this is

    `log P(x) = log sigmoid(b) + log sigmoid(-a) + log(1 - exp(-(b - a)))`,

    three terms of one sign: exact in both tails, without a threshold or an epsilon.

    Data are rounded to the nearest level. They must be scaled to [0, 1]: values in 0..255 are far
    outside and cost enormously.

    Args:
        mean: Location of the logistic in units of the data, of shape `batch + event`.
        log_scale: Logarithm of its scale, of any shape that broadcasts to that of `mean`. It is
            bounded by `soft_bound`: the identity up to 20, logarithmic beyond.
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

    def __init__(self, mean, log_scale, num_bins=256, batch_ndims=1):
        if num_bins < 2:
            raise ValueError(f"`num_bins` must be at least 2. Received: num_bins={num_bins}.")
        self.location = as_float32(mean)
        self.log_scale = soft_bound(as_float32(log_scale))
        self.num_bins = num_bins
        super().__init__(ops.shape(self.location), batch_ndims)

    @property
    def mean(self):
        """The location clipped to [0, 1]; bins and edges move the exact expectation a little."""
        return ops.clip(self.location, 0.0, 1.0)

    @property
    def mode(self):
        """The level nearest to the location; a broad logistic may put more mass in an edge bin."""
        return self._nearest_level(self.location)

    def _log_prob(self, x):
        last = self.num_bins - 1
        level = ops.round(x * last)
        distance = level - self.location * last  # in bins
        width = ops.exp(-self.log_scale) / last  # of a bin in units of the scale, b - a
        is_first, is_last = ops.equal(level, 0.0), ops.equal(level, last)
        # Every branch is finite, so none puts a NaN into the gradient of the others.
        below_b = ops.where(is_last, 0.0, ops.log_sigmoid((distance + 0.5) * width))
        above_a = ops.where(is_first, 0.0, ops.log_sigmoid((0.5 - distance) * width))
        edge = ops.logical_or(is_first, is_last)
        return below_b + above_a + ops.where(edge, 0.0, ops.log(-ops.expm1(-width)))

    def _sample(self, shape, seed):
        noise = standard_logistic(shape, seed)
        return self._nearest_level(self.location + ops.exp(self.log_scale) * noise)

    def _nearest_level(self, value):
        last = self.num_bins - 1
        return ops.round(ops.clip(value, 0.0, 1.0) * last) / last


def standard_logistic(shape, seed=None):
    """Draws from the logistic distribution of location 0 and scale 1, float32."""
    u = keras.random.uniform(shape, minval=1e-7, dtype="float32", seed=seed)
    return ops.log(u) - ops.log1p(-u)
