"""Discrete codes whose draws can be relaxed into differentiable ones."""

from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.distributions.bernoulli import Bernoulli
from keras_vae.distributions.categorical import Categorical
from keras_vae.distributions.discretized_logistic import standard_logistic
from keras_vae.distributions.kl import kl_divergence
from keras_vae.distributions.kl import register_kl
from keras_vae.indexing import first_largest
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class OneHotCategorical(Distribution):
    """Vectors of N one-hot groups, each a draw from C classes.

    `log p(z) = sum_n sum_c z_nc log softmax(l_n)_c`

    The last axis of parameters and draws has length N C. It lists the classes of the first group,
    then those of the second, and so on: a vector, as a decoder takes it. (With N = 1 it is the
    one-hot categorical distribution as it is usually defined.)

    Args:
        logits: Tensor of shape `batch + event`, whose last axis has length N C: the unnormalised
            log-probabilities.
        num_classes: Integer C, at least 2.
        batch_ndims: Number of leading batch axes. Defaults to 1.

    Raises:
        ValueError: If the last axis of `logits` is not a multiple of `num_classes`.

    Example:

    >>> posterior = OneHotCategorical(logits, num_classes=10)  # (B, 200)
    >>> z = posterior.sample(seed=0)  # (B, 200): 20 ones, and zeros
    >>> posterior.relaxed_sample(0.5, seed=0)  # (B, 200), differentiable
    >>> posterior.indices.mode  # (B, 20) integers

    Reference:
        - [Jang et al., 2017](https://arxiv.org/abs/1611.01144)
        - [Maddison et al., 2017](https://arxiv.org/abs/1611.00712)
    """

    is_discrete = True

    def __init__(self, logits: Tensor, num_classes: int, batch_ndims: int = 1) -> None:
        logits = as_float32(logits)
        self.num_classes = num_classes
        if logits.shape[-1] % num_classes:
            raise ValueError(
                "The last axis of `logits` must be a multiple of `num_classes`, with C numbers for "
                f"each of N codes. Received: shape {tuple(logits.shape)}, num_classes="
                f"{num_classes}. Give the encoder `latent_dim=N * {num_classes}`."
            )
        self.indices = Categorical(self._grouped(logits), batch_ndims)
        super().__init__(ops.shape(logits), batch_ndims)

    @property
    def mean(self) -> Tensor:
        """The probabilities of the classes."""
        return self._flat(self.indices.probs)

    @property
    def mode(self) -> Tensor:
        """The one-hot vectors of the most probable classes."""
        return self._one_hot(self.indices.mode)

    def sample(self, seed: Seed = None, num_samples: int | None = None) -> Tensor:
        return self._one_hot(self.indices.sample(seed, num_samples))

    def relaxed_sample(self, temperature: Tensor, seed: Seed = None) -> Tensor:
        """Draws `softmax((log p + g) / temperature)`, g Gumbel noise: Jang et al., equation (2).

        As the temperature falls to 0, it tends to an exact draw. At any temperature, the class of
        its largest element is an exact draw.

        Args:
            temperature: Number or scalar tensor greater than 0.
            seed: Integer or `keras.random.SeedGenerator`.

        Returns:
            Float32 tensor `batch + event`, differentiable in the logits.
        """
        perturbed = self.indices.perturbed(self.indices.shape, seed)
        return self._flat(ops.softmax(perturbed / temperature, axis=-1))

    def nearest(self, z: Tensor) -> Tensor:
        """Returns the one-hot vectors nearest to the relaxed `z`."""
        return self._one_hot(first_largest(self._grouped(z)))

    def _log_prob(self, x: Tensor) -> Tensor:
        return x * self._flat(self.indices.log_probs)

    def _grouped(self, vectors: Tensor) -> Tensor:  # (..., N C) -> (..., N, C)
        num_groups = vectors.shape[-1] // self.num_classes
        return ops.reshape(vectors, (*_leading(vectors, 1), num_groups, self.num_classes))

    def _flat(self, groups: Tensor) -> Tensor:  # (..., N, C) -> (..., N C)
        return ops.reshape(groups, (*_leading(groups, 2), groups.shape[-2] * self.num_classes))

    def _one_hot(self, indices: Tensor) -> Tensor:
        return self._flat(ops.one_hot(indices, self.num_classes, dtype="float32"))


def _leading(tensor: Tensor, num_trailing: int) -> list[int]:
    # Models are built from shapes alone; an unknown batch size is passed to reshape as -1.
    return [-1 if n is None else n for n in ops.shape(tensor)[:-num_trailing]]


@register_kl(OneHotCategorical, OneHotCategorical)
def _kl_one_hot_one_hot(q: OneHotCategorical, p: OneHotCategorical) -> Tensor:
    return kl_divergence(q.indices, p.indices)


class RelaxableBernoulli(Bernoulli):
    """`Bernoulli` whose draws can be relaxed: two classes, of which only one has a logit.

    Args:
        logits: Tensor of shape `batch + event`, the log-odds.
        batch_ndims: Number of leading batch axes. Defaults to 1.

    Reference:
        - [Maddison et al., 2017](https://arxiv.org/abs/1611.00712), appendix B
    """

    def relaxed_sample(self, temperature: Tensor, seed: Seed = None) -> Tensor:
        """Draws `sigmoid((logits + s) / temperature)`, s logistic noise; see `OneHotCategorical`.

        Args:
            temperature: Number or scalar tensor greater than 0.
            seed: Integer or `keras.random.SeedGenerator`.

        Returns:
            Float32 tensor `batch + event`, differentiable in the logits.
        """
        return ops.sigmoid((self.logits + standard_logistic(self.shape, seed)) / temperature)

    def nearest(self, z: Tensor) -> Tensor:
        """Returns the bits nearest to the relaxed `z`."""
        return ops.cast(z > 0.5, "float32")
