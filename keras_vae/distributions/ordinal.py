"""Ordered classes: the interval between two thresholds in which a logistic variable falls."""

from keras import ops

from keras_vae.distributions.base import as_float32
from keras_vae.distributions.categorical import Categorical
from keras_vae.typing import Tensor


class Ordinal(Categorical):
    """Independent integers from 0 to K - 1 with an order: the cumulative logit model.

    `P(x <= k) = sigmoid(t_k - m)`, with thresholds `t_0 < ... < t_{K-2}`. The class k has the mass
    of a logistic variable around m between `t_{k-1}` and `t_k`, so that a larger m makes larger
    classes more probable.

    Args:
        location: Tensor of shape `batch + event`, m.
        thresholds: Tensor, rising along its last axis of length K - 1, whose other axes broadcast
            to `batch + event`.
        batch_ndims: Number of leading batch axes. Defaults to 1.

    Example:

    >>> grades = Ordinal(decoder(z), [-2.0, 0.0, 2.0])  # (B, 5), 4 classes

    Reference:
        - [McCullagh, 1980](https://doi.org/10.1111/j.2517-6161.1980.tb01109.x)
    """

    def __init__(self, location: Tensor, thresholds: Tensor, batch_ndims: int = 1) -> None:
        self.location = as_float32(location)
        self.thresholds = as_float32(thresholds)
        distance = self.thresholds - ops.expand_dims(self.location, -1)  # (..., K - 1)
        width = self.thresholds[..., 1:] - self.thresholds[..., :-1]
        below, above = ops.log_sigmoid(distance), ops.log_sigmoid(-distance)
        # log(sigmoid(b) - sigmoid(a)) = log sigmoid(b) + log sigmoid(-a) + log(1 - exp(-(b - a)))
        gap = ops.log(-ops.expm1(-ops.maximum(width, 1e-7)))
        inner = below[..., 1:] + above[..., :-1] + gap
        log_probs = ops.concatenate([below[..., :1], inner, above[..., -1:]], axis=-1)
        super().__init__(log_probs, batch_ndims)

    @property
    def median(self) -> Tensor:
        """The smallest class that the draw exceeds with a probability of at most a half, int32."""
        return ops.sum(
            ops.cast(self.thresholds < ops.expand_dims(self.location, -1), "int32"), axis=-1
        )
