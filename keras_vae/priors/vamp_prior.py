"""A prior made of the model's own posteriors."""

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.distributions import Mixture
from keras_vae.priors.prior import Prior


@keras.saving.register_keras_serializable(package="keras_vae")
class VampPrior(Prior):
    """Mixture of the posteriors of K learned pseudo-inputs u:

        p(z) = 1/K sum_k q(z|u_k)      (equation 9)

    It moves with the encoder and approximates the best possible prior, the mixture of the
    posteriors of all the data. Each step encodes the K pseudo-inputs too.

    The pseudo-inputs start as noise of standard deviation 0.05 around 0, since nothing is known
    about the data. Training from `initialize_from(x)` is better.

    Args:
        num_components: K, the number of pseudo-inputs.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Returns: `Mixture` over latent_shape, without a batch axis.

    Raises:
        ValueError: `num_components` is not a positive integer; or the prior is built without an
            encoder (see `attach`), or for a conditional model, where q(z|u, c) would need a
            condition for each pseudo-input.

    Example:

    ```python
    prior = VampPrior(num_components=500)
    model = VAE(encoder, decoder, prior=prior)
    prior.initialize_from(x_train)
    ```

    Reference:
        Tomczak, Welling 2018, "VAE with a VampPrior".
    """

    distribution_class = Mixture
    shares_encoder = True

    def __init__(self, num_components=500, **kwargs):
        super().__init__(**kwargs)
        self.num_components = check_count("num_components", num_components)
        self.encode = None

    def attach(self, encode, data_shape):
        # A function, not a layer: the encoder stays the model's alone, for Keras too.
        self.encode = encode
        self.data_shape = tuple(data_shape)

    def build(self, latent_shape, condition_shape=None):
        if condition_shape is not None:
            raise ValueError(
                "VampPrior cannot serve a conditional model: its components are the posteriors "
                f"of pseudo-inputs, which have no condition. Received: "
                f"condition_shape={tuple(condition_shape)}. Take ConditionalGaussian() instead."
            )
        if self.encode is None:
            raise ValueError(
                "VampPrior needs the model's encoder, and has received none. Give it to a model, "
                "`VAE(encoder, decoder, prior=prior)`, or call `prior.attach(encode, data_shape)` "
                "before `prior.build(latent_shape)`."
            )
        super().build(latent_shape)
        self.pseudo_inputs = self.add_weight(
            name="pseudo_inputs",
            shape=(self.num_components, *self.data_shape),
            initializer=keras.initializers.RandomNormal(stddev=0.05),
        )

    def get_build_config(self):
        """Returns nothing: only the model that reads it from a file can attach its encoder."""
        return None

    def call(self, condition=None):
        components = self.encode(ops.convert_to_tensor(self.pseudo_inputs))  # (K, D)
        return Mixture(ops.zeros(self.num_components), components, batch_ndims=0)

    def initialize_from(self, x, seed=0):
        """Sets the pseudo-inputs to examples drawn from x.

        Args:
            x: NumPy array (N, *data_shape). Without replacement where N is at least K.
            seed: int, for the draw.

        Raises:
            ValueError: the prior is not built, or x has another shape.
        """
        if not self.built:
            raise ValueError(
                "VampPrior has no pseudo-inputs before it is built. Give it to a model first, "
                "`VAE(encoder, decoder, prior=prior)`."
            )
        x = np.asarray(ops.convert_to_numpy(x), "float32")
        if x.shape[1:] != self.data_shape or not len(x):
            raise ValueError(
                f"`x` must hold examples of the model. Expected: shape {('N', *self.data_shape)}. "
                f"Received: {x.shape}."
            )
        replace = len(x) < self.num_components
        chosen = np.random.default_rng(seed).choice(len(x), self.num_components, replace)
        self.pseudo_inputs.assign(x[chosen])

    def get_config(self):
        return {**super().get_config(), "num_components": self.num_components}
