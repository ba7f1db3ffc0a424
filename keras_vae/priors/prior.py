"""What a prior is: a layer whose call returns a distribution over z."""

import keras


class Prior(keras.layers.Layer):
    """Base class of priors p(z), learned or not, conditional or not.

    `prior()` returns a distribution over one latent, without a batch axis (`batch_ndims=0`), so
    that `prior().sample(seed, num_samples=n)` has shape (n, *latent_shape) and
    `prior().log_prob(z)` maps (B, *latent_shape) to (B,) nats. A conditional prior takes
    `prior(condition)`, (B, ...), and returns a distribution with a batch axis.

    The model builds its prior with the shape of its latents; a subclass adds its weights in
    `build` and calls `super().build(latent_shape)`.
    """

    def __init__(self, **kwargs):
        kwargs.setdefault("dtype", "float32")  # log-densities never in half precision
        super().__init__(**kwargs)

    def build(self, latent_shape):
        """Args: latent_shape: tuple of ints, the shape of one z, without the batch axis."""
        self.latent_shape = tuple(latent_shape)

    def call(self, condition=None):
        """Returns the distribution p(z), or p(z|condition)."""
        raise NotImplementedError
