"""Bernoulli distribution of independent binary elements."""

import keras
from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.distributions.base import sum_last
from keras_vae.distributions.kl import register_kl


class Bernoulli(Distribution):
    """Independent binary elements with log-odds `logits`.

    `log p(x) = sum_i x_i log sigmoid(l_i) + (1 - x_i) log sigmoid(-l_i)`, equation (11) of
    Kingma and Welling (appendix C.1), computed from logits `l` and never from probabilities.

    Data in between 0 and 1 (grey pixels) give the usual cross-entropy, which is not the
    log-likelihood of anything: binarise the data where the number must mean something.

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

    def __init__(self, logits, batch_ndims=1):
        self.logits = as_float32(logits)
        super().__init__(ops.shape(self.logits), batch_ndims)

    @property
    def mean(self):
        """The probabilities of a 1."""
        return ops.sigmoid(self.logits)

    @property
    def mode(self):
        """1.0 where it is more probable than 0, else 0.0."""
        return ops.cast(self.logits > 0, "float32")

    def _log_prob(self, x):
        # softplus(l) = l/2 + |l|/2 + log(1 + exp(-|l|)): exact in both tails, and with the right
        # gradient at l = 0, where max(l, 0) in place of (l + |l|)/2 would be off by a half.
        size = ops.abs(self.logits)
        return (x - 0.5) * self.logits - 0.5 * size - ops.log1p(ops.exp(-size))

    def _sample(self, shape, seed):
        noise = keras.random.uniform(shape, dtype="float32", seed=seed)
        return ops.cast(noise < self.mean, "float32")


@register_kl(Bernoulli, Bernoulli)
def _kl_bernoulli_bernoulli(q, p):
    ones = q.mean * (ops.log_sigmoid(q.logits) - ops.log_sigmoid(p.logits))
    zeros = ops.sigmoid(-q.logits) * (ops.log_sigmoid(-q.logits) - ops.log_sigmoid(-p.logits))
    return sum_last(ones + zeros, q.event_ndims)
