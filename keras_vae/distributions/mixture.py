"""Mixture of distributions of one class."""

from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.distributions.base import same_static_shape
from keras_vae.distributions.base import sum_last
from keras_vae.distributions.categorical import Categorical
from keras_vae.indexing import first_largest
from keras_vae.noise import seed_of_part
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class Mixture(Distribution):
    """Mixture of K distributions of one class, weighted by `softmax(logits)`.

    `log p(x) = log sum_k softmax(logits)_k p_k(x)`

    The last axis of `logits` is the mixture axis, which is the last batch axis of `components`.
    Axes of `logits` between the batch axes and the mixture axis, as with one mixture per pixel, are
    event axes of the mixture: the log-densities of the pixels are summed.

    Args:
        logits: Tensor `batch + places + (K,)`, the unnormalised log-weights.
        components: `Distribution` of shape `batch + places + (K,) + component event`, whose
            `batch_ndims` is the number of axes of `logits`.
        batch_ndims: Number of leading batch axes of the mixture. Defaults to 1.

    Raises:
        ValueError: If the batch axes of `components` are not the axes of `logits`, or if
            `batch_ndims` counts the mixture axis among the batch axes.

    Example:

    >>> # A prior of K Gaussians in D dimensions: log_prob(z (B, D)) -> (B,)
    >>> components = DiagonalGaussian(means, log_vars)  # (K, D)
    >>> prior = Mixture(logits, components, batch_ndims=0)  # logits (K,)
    >>> # A mixture of K logistics for each pixel: log_prob(x (B, H, W, C)) -> (B,)
    >>> components = DiscretizedLogistic(mean, log_scale, batch_ndims=4)  # (B, H, W, K, C)
    >>> likelihood = Mixture(logits, components)  # logits (B, H, W, K)
    """

    def __init__(self, logits: Tensor, components: Distribution, batch_ndims: int = 1) -> None:
        self.logits = as_float32(logits)
        self.components = components
        self._check_components(batch_ndims)
        axes = components.shape
        places = components.batch_ndims - 1
        super().__init__((*axes[:places], *axes[places + 1 :]), batch_ndims)

    @property
    def log_weights(self) -> Tensor:
        """Normalised log-weights, in the shape of `logits`."""
        return ops.log_softmax(self.logits, axis=-1)

    @property
    def mean(self) -> Tensor:
        """The expectation, `sum_k softmax(logits)_k mean_k`."""
        return self._weighted_sum(ops.exp(self.log_weights), self.components.mean)

    @property
    def mode(self) -> Tensor:
        """The mode of the most probable component, which need not be that of the mixture."""
        return self._weighted_sum(self._one_hot(first_largest(self.logits)), self.components.mode)

    def log_prob(self, x: Tensor) -> Tensor:
        x = as_float32(x)
        self._check_event(x)
        each = self.components.log_prob_of_each(x)  # (..., K)
        log_probs = ops.logsumexp(self.log_weights + each, axis=-1)
        return sum_last(log_probs, len(self.logits.shape) - 1 - self.batch_ndims)

    def sample(self, seed: Seed = None, num_samples: int | None = None) -> Tensor:
        """Draws components, then from them; differentiable in the components, not the weights."""
        choice = Categorical(self.logits, batch_ndims=0).sample(
            seed_of_part(seed, "component"), num_samples
        )
        draws = self.components.sample(seed, num_samples)
        return self._weighted_sum(self._one_hot(choice), draws)

    def _one_hot(self, index: Tensor) -> Tensor:
        return ops.one_hot(index, self.logits.shape[-1], dtype="float32")

    def _weighted_sum(self, weights: Tensor, values: Tensor) -> Tensor:
        for _ in range(self.components.event_ndims):
            weights = ops.expand_dims(weights, -1)
        values = weights * ops.cast(values, "float32")
        return ops.sum(values, axis=-(self.components.event_ndims + 1))

    def _check_components(self, batch_ndims: int) -> None:
        axes, weights = self.components.shape, tuple(self.logits.shape)
        if not same_static_shape(axes[: self.components.batch_ndims], weights):
            raise ValueError(
                "The batch axes of `components` must be the axes of `logits`, with the mixture "
                f"axis last. Received: logits.shape={weights}, components={self.components}. Give "
                f"the components `batch_ndims={len(weights)}` and the shape `logits.shape + event`."
            )
        if batch_ndims >= len(weights):
            raise ValueError(
                "`batch_ndims` of a mixture must leave the last axis of `logits` to the mixture. "
                f"Received: batch_ndims={batch_ndims}, logits.shape={weights}. A single mixture "
                "without a batch axis, such as a prior, needs `batch_ndims=0`."
            )
