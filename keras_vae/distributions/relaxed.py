"""Discrete codes whose draws can be relaxed into differentiable ones."""

from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.distributions.bernoulli import Bernoulli
from keras_vae.distributions.categorical import Categorical
from keras_vae.distributions.discretized_logistic import standard_logistic
from keras_vae.distributions.kl import kl_divergence
from keras_vae.distributions.kl import register_kl


class OneHotCategorical(Distribution):
    """Vectors of N one-hot groups, each a draw of C classes.

    `log p(z) = sum_n sum_c z_nc log softmax(l_n)_c`

    The last axis of parameters and draws, N C long, lists the classes of the first group, then
    those of the second: a vector, as decoders take it. (For `num_classes=C` of a C-long axis it is
    the one-hot categorical distribution as usually defined.)

    Args:
        logits: Tensor of shape `batch + event`, whose last axis is N C long: unnormalised
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

    def __init__(self, logits, num_classes, batch_ndims=1):
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
    def mean(self):
        """The probabilities of the classes."""
        return self._flat(self.indices.probs)

    @property
    def mode(self):
        """The one-hot vectors of the most probable classes."""
        return self._one_hot(self.indices.mode)

    def sample(self, seed=None, num_samples=None):
        return self._one_hot(self.indices.sample(seed, num_samples))

    def relaxed_sample(self, temperature, seed=None):
        """Draws `softmax((log p + g) / temperature)`, g Gumbel noise: Jang et al., equation (2).

        As the temperature falls to 0 it tends to a draw; at any, its largest class is one.

        Args:
            temperature: Number or scalar tensor greater than 0.
            seed: Integer or `keras.random.SeedGenerator`.

        Returns:
            Float32 tensor `batch + event`, differentiable in the logits.
        """
        perturbed = self.indices.perturbed(self.indices.shape, seed)
        return self._flat(ops.softmax(perturbed / temperature, axis=-1))

    def nearest(self, z):
        """The one-hot vectors nearest to the relaxed `z`."""
        return self._one_hot(ops.argmax(self._grouped(z), axis=-1))

    def _log_prob(self, x):
        return x * self._flat(self.indices.log_probs)

    def _grouped(self, vectors):  # (..., N C) -> (..., N, C)
        num_groups = vectors.shape[-1] // self.num_classes
        return ops.reshape(vectors, (*_leading(vectors, 1), num_groups, self.num_classes))

    def _flat(self, groups):  # (..., N, C) -> (..., N C)
        return ops.reshape(groups, (*_leading(groups, 2), groups.shape[-2] * self.num_classes))

    def _one_hot(self, indices):
        return self._flat(ops.one_hot(indices, self.num_classes, dtype="float32"))


def _leading(tensor, num_trailing):
    # Models are built from shapes alone, whose unknown batch size a reshape takes as -1.
    return [-1 if n is None else n for n in ops.shape(tensor)[:-num_trailing]]


@register_kl(OneHotCategorical, OneHotCategorical)
def _kl_one_hot_one_hot(q, p):
    return kl_divergence(q.indices, p.indices)


class RelaxableBernoulli(Bernoulli):
    """`Bernoulli` whose draws can be relaxed: two classes, of which only one is written down.

    Args:
        logits: Tensor of shape `batch + event`, the log-odds.
        batch_ndims: Number of leading batch axes. Defaults to 1.

    Reference:
        - [Maddison et al., 2017](https://arxiv.org/abs/1611.00712), appendix B
    """

    def relaxed_sample(self, temperature, seed=None):
        """Draws `sigmoid((logits + s) / temperature)`, s logistic noise; see `OneHotCategorical`.

        Args:
            temperature: Number or scalar tensor greater than 0.
            seed: Integer or `keras.random.SeedGenerator`.

        Returns:
            Float32 tensor `batch + event`, differentiable in the logits.
        """
        return ops.sigmoid((self.logits + standard_logistic(self.shape, seed)) / temperature)

    def nearest(self, z):
        """The bits nearest to the relaxed `z`."""
        return ops.cast(z > 0.5, "float32")
