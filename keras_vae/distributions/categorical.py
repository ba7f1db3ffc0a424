"""Categorical distribution of independent integer elements."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.distributions.base import sum_last
from keras_vae.distributions.kl import register_kl
from keras_vae.indexing import first_largest
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class Categorical(Distribution):
    """Independent integers from 0 to C - 1 with unnormalised log-probabilities `logits`.

    `log p(x) = sum_i [l_i,x_i - log sum_c exp(l_i,c)]`

    Its draws are not differentiable; those of `OneHotCategorical` can be relaxed.

    Args:
        logits: Tensor of shape `batch + event + (C,)`: the last axis enumerates the classes
            and is neither a batch nor an event axis.
        batch_ndims: Number of leading batch axes. Defaults to 1.

    Example:

    >>> codes = Categorical(logits)  # (B, 7, 7, 512)
    >>> codes.log_prob(indices)  # indices (B, 7, 7) -> (B,) nats
    """

    is_discrete = True

    def __init__(self, logits: Tensor, batch_ndims: int = 1) -> None:
        self.logits = as_float32(logits)
        super().__init__(ops.shape(self.logits)[:-1], batch_ndims)

    @property
    def log_probs(self) -> Tensor:
        """Log-probabilities of the classes, in the shape of `logits`."""
        return ops.log_softmax(self.logits, axis=-1)

    @property
    def probs(self) -> Tensor:
        """Probabilities of the classes, in the shape of `logits`."""
        return ops.softmax(self.logits, axis=-1)

    @property
    def mean(self) -> Tensor:
        """The expected index, float32: meaningful only if the classes are ordered."""
        return ops.sum(self.probs * ops.arange(self.logits.shape[-1], dtype="float32"), axis=-1)

    @property
    def mode(self) -> Tensor:
        """The most probable index, int32."""
        return first_largest(self.logits)

    def _log_prob(self, x: Tensor) -> Tensor:
        index = ops.expand_dims(ops.cast(x, "int32"), -1)
        log_probs, index = _with_equal_ndim(self.log_probs, index)
        # Gathered rather than multiplied by a one-hot tensor, which would be C times as large.
        return ops.squeeze(ops.take_along_axis(log_probs, index, axis=-1), -1)

    def perturbed(self, shape: Sequence[int], seed: Seed = None) -> Tensor:
        """Returns `log p_c + g_c` with Gumbel noise `g`: the class of the largest is a draw.

        Args:
            shape: Tuple of ints, the shape of the draws.
            seed: Integer or `keras.random.SeedGenerator`.

        Returns:
            Float32 tensor of shape `shape + (C,)`.
        """
        # log p is added rather than the logits: large logits would swallow digits of the noise.
        # The lower bound of u keeps -log(-log(u)) finite.
        shape = (*shape, self.logits.shape[-1])
        noise = keras.random.uniform(shape, minval=1e-7, dtype="float32", seed=seed)
        return self.log_probs - ops.log(-ops.log(noise))

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        return ops.argmax(self.perturbed(shape, seed), axis=-1)


def _with_equal_ndim(a: Tensor, b: Tensor) -> list[Tensor]:
    ndim = max(len(a.shape), len(b.shape))
    return [ops.expand_dims(t, tuple(range(ndim - len(t.shape)))) for t in (a, b)]


@register_kl(Categorical, Categorical)
def _kl_categorical_categorical(q: Categorical, p: Categorical) -> Tensor:
    return sum_last(ops.sum(q.probs * (q.log_probs - p.log_probs), axis=-1), q.event_ndims)
