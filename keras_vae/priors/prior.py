"""The base class of priors."""

from collections.abc import Callable
from typing import Any

import keras

from keras_vae.distributions import Distribution
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


class Prior(keras.layers.Layer):
    """Base class of priors p(z), learned or not, conditional or not.

    `prior()` returns a distribution over one latent, without a batch axis (`batch_ndims=0`):
    `prior().sample(seed, num_samples=n)` has shape (n, *latent_shape), and `prior().log_prob(z)`
    maps (B, *latent_shape) to (B,) nats. A conditional prior is called with a batch of conditions
    (B, *condition_shape), and `prior(condition)` returns a distribution with a batch axis. Any
    other prior ignores the condition: p(z|c) = p(z).

    The model builds its prior with the shape of its latents, and with that of its conditions if it
    is conditional. A subclass creates its weights in `build`, where it calls
    `super().build(latent_shape, condition_shape)`.

    Attributes:
        shares_encoder: Whether the density depends on the weights of the model's encoder.
        distribution_class: The class of the distributions that `call` returns, or `None` if it
            varies. It decides, by `has_closed_form`, whether the KL term needs draws.

    Example:

    ```python
    @keras.saving.register_keras_serializable(package="mine")
    class ShiftedNormal(keras_vae.Prior):
        def build(self, latent_shape, condition_shape=None):
            super().build(latent_shape, condition_shape)
            self.mean = self.add_weight(shape=latent_shape, initializer="zeros", name="mean")

        def call(self, condition=None):
            mean = keras.ops.convert_to_tensor(self.mean)
            return keras_vae.distributions.DiagonalGaussian(
                mean, keras.ops.zeros_like(mean), batch_ndims=0
            )
    ```
    """

    shares_encoder = False
    distribution_class: type[Distribution] | None = None

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")  # never compute log-densities in half precision
        super().__init__(**kwargs)

    def attach(self, encode: Callable[[Tensor], Distribution], data_shape: Shape) -> None:
        """Receives the model's encoder, for a prior made of posteriors; called before `build`.

        Args:
            encode: Function from x (N, *data_shape) to q(z|x), a distribution with a batch axis.
            data_shape: Tuple of ints, the shape of one x.
        """

    def build(self, latent_shape: Shape, condition_shape: Shape | None = None) -> None:
        """Creates the weights.

        Args:
            latent_shape: Tuple of ints, the shape of one z, without the batch axis.
            condition_shape: Tuple of ints, the shape of one embedded condition, or `None` if the
                model is unconditional.
        """
        self.latent_shape = tuple(latent_shape)

    def call(self, condition: Tensor | None = None) -> Distribution:
        """Returns the distribution p(z), or p(z|condition)."""
        raise NotImplementedError
