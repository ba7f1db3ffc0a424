"""Counts that are 0 more often than under their base distribution."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.noise import seed_of_part
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class ZeroInflated(Distribution):
    """A distribution of independent elements, each replaced by 0 with probability `sigmoid(l)`.

    `p(x) = sigmoid(l) [x = 0] + sigmoid(-l) base(x)`

    Args:
        base: `Distribution` of counts.
        logits: Tensor, l, of any shape that broadcasts to that of `base`.

    Example:

    >>> counts = ZeroInflated(Poisson(log_rate), logits)  # (B, 33)

    Reference:
        - [Lambert, 1992](https://doi.org/10.2307/1269547)
    """

    is_discrete = True

    def __init__(self, base: Distribution, logits: Tensor) -> None:
        self.base = base
        self.logits = as_float32(logits)
        super().__init__(base.shape, base.batch_ndims)

    @property
    def mean(self) -> Tensor:
        """The expectation, `sigmoid(-l)` times that of the base."""
        return ops.sigmoid(-self.logits) * self.base.mean

    @property
    def mode(self) -> Tensor:
        """The more probable of 0 and the mode of the base."""
        mode = self.base.mode
        is_larger = self._log_prob(mode) > self._log_prob(ops.zeros_like(mode))
        return ops.where(is_larger, mode, 0.0)

    def _log_prob(self, x: Tensor) -> Tensor:
        counted = ops.log_sigmoid(-self.logits) + self.base._log_prob(x)
        inflated = ops.broadcast_to(ops.log_sigmoid(self.logits), ops.shape(counted))
        return ops.where(x == 0, ops.logaddexp(inflated, counted), counted)

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        u = keras.random.uniform(shape, dtype="float32", seed=seed_of_part(seed, "zeros"))
        return ops.where(u < ops.sigmoid(self.logits), 0.0, self.base._sample(shape, seed))
