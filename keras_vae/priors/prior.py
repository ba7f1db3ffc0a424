"""What a prior is: a layer whose call returns a distribution over z."""

import keras


class Prior(keras.layers.Layer):
    """Base class of priors p(z), learned or not, conditional or not.

    `prior()` returns a distribution over one latent, without a batch axis (`batch_ndims=0`), so
    that `prior().sample(seed, num_samples=n)` has shape (n, *latent_shape) and
    `prior().log_prob(z)` maps (B, *latent_shape) to (B,) nats. A conditional prior takes
    `prior(condition)`, (B, *condition_shape), and returns a distribution with a batch axis; any
    other disregards the condition, p(z|c) = p(z).

    The model builds its prior with the shape of its latents, and of its conditions where it has
    any; a subclass adds its weights in `build` and calls
    `super().build(latent_shape, condition_shape)`.

    Attributes:
        shares_encoder: whether the density depends on the weights of the model's encoder.
        distribution_class: the class of the distributions that `call` returns, or `None` where it
            differs. A KL term is computed without draws where `has_closed_form` says so.

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
    distribution_class = None

    def __init__(self, **kwargs):
        kwargs.setdefault("dtype", "float32")  # log-densities never in half precision
        super().__init__(**kwargs)

    def attach(self, encode, data_shape):
        """Receives what a prior made of posteriors needs from its model, before `build`.

        Args:
            encode: function from x (N, *data_shape) to q(z|x), a distribution with a batch axis.
            data_shape: tuple of ints, the shape of one x.
        """

    def build(self, latent_shape, condition_shape=None):
        """Creates the weights.

        Args:
            latent_shape: tuple of ints, the shape of one z, without the batch axis.
            condition_shape: tuple of ints, the shape of one embedded condition, or `None` where
                the model is unconditional.
        """
        self.latent_shape = tuple(latent_shape)

    def call(self, condition=None):
        """Returns the distribution p(z), or p(z|condition)."""
        raise NotImplementedError
