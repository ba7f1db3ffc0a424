"""Bernoulli distribution of independent binary elements."""

from collections.abc import Callable
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.distributions.base import flatten_last
from keras_vae.distributions.base import sum_last
from keras_vae.distributions.kl import register_kl
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class Bernoulli(Distribution):
    """Independent binary elements with log-odds `logits`.

    `log p(x) = sum_i x_i log sigmoid(l_i) + (1 - x_i) log sigmoid(-l_i)`, equation (11) of
    Kingma and Welling (appendix C.1), computed from logits `l` and never from probabilities.

    Data strictly between 0 and 1 (grey pixels) give the usual cross-entropy, which is not a
    log-likelihood: binarise the data if the number is to be meaningful.

    Args:
        logits: Tensor of shape `batch + event`.
        batch_ndims: Number of leading batch axes. Defaults to 1.

    Example:

    >>> likelihood = Bernoulli(decoder(z))  # (B, 28, 28, 1)
    >>> likelihood.log_prob(x)  # (B,) nats

    Reference:
        - [Kingma and Welling, 2014](https://arxiv.org/abs/1312.6114)
    """

    is_discrete = True

    def __init__(self, logits: Tensor, batch_ndims: int = 1) -> None:
        self.logits = as_float32(logits)
        super().__init__(ops.shape(self.logits), batch_ndims)

    @property
    def mean(self) -> Tensor:
        """The probability that each element is 1."""
        return ops.sigmoid(self.logits)

    @property
    def mode(self) -> Tensor:
        """1.0 where 1 is more probable than 0, else 0.0."""
        return ops.cast(self.logits > 0, "float32")

    def log_prob_over_draws(self, x: Tensor, num_draws: int) -> Tensor:
        # x is broadcast over the draws, not copied for each.
        logits = ops.reshape(self.logits, (num_draws, -1, *self.shape[1:]))
        if keras.config.backend() == "torch":
            x = as_float32(x)
            self._check_event(x)
            if bool((x * x == x).all()):  # black and white: log p(x) = -softplus(+-l)
                return -sum_last(ops.softplus(logits * (1 - 2 * x)), self.event_ndims)
        return Bernoulli(logits, batch_ndims=2).log_prob(x)

    def _log_prob(self, x: Tensor) -> Tensor:
        # Not log(p): a probability that rounds to 0 or 1 would lose the tail.
        return x * ops.log_sigmoid(self.logits) + (1.0 - x) * ops.log_sigmoid(-self.logits)

    def _summed_log_prob(self, x: Tensor) -> Tensor:
        # log p(x) = x l - softplus(l), with softplus(l) = l/2 + |l|/2 + log(1 + exp(-|l|)). This is
        # exact in both tails. At l = 0 its gradient is right as well, whereas with max(l, 0) in
        # place of (l + |l|)/2 it would be off by a half.
        if keras.config.backend() == "torch":
            return sum_last(_log_probs(self.logits, x), self.event_ndims)
        size = ops.abs(self.logits)
        linear = (x - 0.5) * self.logits - 0.5 * size
        if keras.config.backend() == "jax" and self.event_ndims:
            return sum_last(linear, self.event_ndims) - _sum_of_tails(size, self.event_ndims)
        return sum_last(linear - ops.log1p(ops.exp(-size)), self.event_ndims)

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        noise = keras.random.uniform(shape, dtype="float32", seed=seed)
        return ops.cast(noise < self.mean, "float32")


@ops.custom_gradient
def _log_probs(logits: Tensor, x: Tensor) -> tuple[Tensor, Callable]:
    """Returns log p(x) of every element, and its gradient, x - sigmoid(l).

    PyTorch does not fuse operations, and would differentiate each of them separately.
    """
    size = ops.abs(logits)
    tail = ops.log_sigmoid(size)
    log_probs = (x - 0.5) * logits
    size *= 0.5  # in place: allocating memory takes longer than multiplying
    log_probs -= size
    log_probs += tail

    def gradient(logits: Tensor, x: Tensor, upstream: Tensor) -> tuple[Tensor, Tensor | None]:
        of_logits = x - ops.sigmoid(logits)
        of_logits *= upstream
        return of_logits, upstream * logits if x.requires_grad else None

    return log_probs, gradient


def _sum_of_tails(size: Tensor, event_ndims: int) -> Tensor:
    """Returns the sum of log(1 + exp(-size)) over the event axes, with one logarithm for eight.

    On a CPU, XLA's logarithm costs more than everything else here. So eight factors (1 + e_i) are
    multiplied first, as (1 + a)(1 + b) - 1 = ab + (a + b), which keeps the digits of small e_i.
    """
    size = flatten_last(size, event_ndims)
    sides = [(0, 0)] * (len(size.shape) - 1)
    tail = ops.exp(-ops.pad(size, [*sides, (0, -size.shape[-1] % 8)], constant_values=np.inf))
    for _ in range(3):
        first, second = ops.split(tail, 2, axis=-1)
        tail = first * second + (first + second)
    return sum_last(ops.log1p(tail), 1)


@register_kl(Bernoulli, Bernoulli)
def _kl_bernoulli_bernoulli(q: Bernoulli, p: Bernoulli) -> Tensor:
    # log_sigmoid, and sigmoid(-l) for 1 - sigmoid(l), keep their digits in both tails.
    ones = q.mean * (ops.log_sigmoid(q.logits) - ops.log_sigmoid(p.logits))
    zeros = ops.sigmoid(-q.logits) * (ops.log_sigmoid(-q.logits) - ops.log_sigmoid(-p.logits))
    return sum_last(ones + zeros, q.event_ndims)
