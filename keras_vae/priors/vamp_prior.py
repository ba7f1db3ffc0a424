"""A prior made of the model's own posteriors."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.distributions import Distribution
from keras_vae.distributions import Mixture
from keras_vae.priors.prior import Prior
from keras_vae.typing import Array
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class VampPrior(Prior):
    """Mixture of the posteriors of K learned pseudo-inputs u:

        p(z) = 1/K sum_k q(z|u_k)      (equation 9)

    It changes with the encoder and approximates the optimal prior, the mixture of the posteriors of
    all the data. Every training step encodes the K pseudo-inputs as well.

    The pseudo-inputs start as normal noise of standard deviation 0.05, as the data are not yet
    known. It is better to initialise them with `initialize_from(x)`.

    Args:
        num_components: Positive integer, the number of pseudo-inputs K.
        **kwargs: Keyword arguments of every Keras layer, such as `name` and `trainable`.

    Returns: `Mixture` over latent_shape, without a batch axis.

    Raises:
        ValueError: If `num_components` is not a positive integer, or if the prior is built without
            an encoder (see `attach`) or for a conditional model, in which q(z|u, c) would need a
            condition for each pseudo-input.

    Example:

    ```python
    prior = VampPrior(num_components=500)
    model = VAE(encoder, decoder, prior=prior)
    prior.initialize_from(x_train)
    ```

    Reference:
        - [Tomczak and Welling, 2018](https://arxiv.org/abs/1705.07120)
    """

    distribution_class = Mixture
    shares_encoder = True

    def __init__(self, num_components: int = 500, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_components = check_count("num_components", num_components)
        self.encode: Callable[[Tensor], Distribution] | None = None

    def attach(self, encode: Callable[[Tensor], Distribution], data_shape: Shape) -> None:
        # A function rather than a layer, so that Keras does not track the encoder here too.
        self.encode = encode
        self.data_shape = tuple(data_shape)

    def build(self, latent_shape: Shape, condition_shape: Shape | None = None) -> None:
        if condition_shape is not None:
            raise ValueError(
                "VampPrior cannot serve a conditional model: its components are the posteriors "
                f"of pseudo-inputs, which have no condition. Received: "
                f"condition_shape={tuple(condition_shape)}. Use ConditionalGaussian() instead."
            )
        if self.encode is None:
            raise ValueError(
                "VampPrior needs the model's encoder, but none is attached. Pass the prior to a "
                "model, `VAE(encoder, decoder, prior=prior)`, or call "
                "`prior.attach(encode, data_shape)` before `prior.build(latent_shape)`."
            )
        super().build(latent_shape)
        self.pseudo_inputs = self.add_weight(
            name="pseudo_inputs",
            shape=(self.num_components, *self.data_shape),
            initializer=keras.initializers.RandomNormal(stddev=0.05),
        )

    def get_build_config(self) -> None:
        """Returns `None`: a saved prior is built by its model, which first attaches the encoder."""
        return None

    def call(self, condition: Tensor | None = None) -> Mixture:
        components = self.encode(ops.convert_to_tensor(self.pseudo_inputs))  # (K, D)
        return Mixture(ops.zeros(self.num_components), components, batch_ndims=0)

    def initialize_from(self, x: Array, seed: int = 0) -> None:
        """Sets the pseudo-inputs to examples drawn from x, without replacement if N is at least K.

        Args:
            x: Array (N, *data_shape).
            seed: Integer, the seed of the draw.

        Raises:
            ValueError: If the prior is not built, or if `x` is empty or has another shape.
        """
        if not self.built:
            raise ValueError(
                "VampPrior has no pseudo-inputs before it is built. Pass it to a model first, "
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

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_components": self.num_components}
