"""Dense encoder and decoder for data of any shape."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from keras_vae.networks.condition import flat_inputs
from keras_vae.networks.condition import latent_inputs
from keras_vae.networks.heads import dense_heads
from keras_vae.networks.heads import dense_output
from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.trunks import dense_layers
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class MLPEncoder(Network, default_name="encoder"):
    """Maps x to the mean and log-variance of q(z|x) with dense layers.

    Args:
        input_shape: Tuple of ints, the shape of one example: (H, W, C), (N,) or any other.
        latent_dim: Int, D, the size of z.
        hidden_units: Tuple of ints, the units of the hidden layers in order. () gives a linear map.
        activation: String or callable, the activation of every hidden layer. "glu" gates each unit
            by a second one, as in the networks of the VampPrior's paper, with twice the weights.
        num_outputs: Int, 2 for the mean and log-variance; 1 for a single tensor z, as for
            deterministic codes, classifiers (their logits) and discriminators; 3 to add the last
            hidden activations.
        condition_shape: Tuple of ints, the shape of one condition c, or `None`. c is flattened and
            appended to x.
        name, dtype, trainable: As for every Keras layer.

    Input shape: x (B, *input_shape), or [x, c] with c (B, *condition_shape).
    Output shape: (z_mean, z_log_var), each (B, latent_dim), float32 under every policy; z alone, of
        the same shape; or (z_mean, z_log_var, features), with features (B, F).

    Raises:
        ValueError: If a size or count is not a positive integer, or `num_outputs` is not 1, 2 or 3.

    Example:

    ```python
    encoder = MLPEncoder((28, 28, 1), latent_dim=50, hidden_units=(200, 200), activation="tanh")
    z_mean, z_log_var = encoder(x)
    ```

    Reference:
        - [Kingma and Welling, 2014](https://arxiv.org/abs/1312.6114), "Auto-Encoding Variational
          Bayes", appendix C.2
        - [Tomczak and Welling, 2018](https://arxiv.org/abs/1705.07120), "VAE with a VampPrior",
          section 5: gated layers
    """

    def __init__(
        self,
        input_shape: Shape,
        latent_dim: int,
        hidden_units: Sequence[int] = (512, 256),
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_outputs: int = 2,
        condition_shape: Shape | None = None,
        **kwargs: Any,
    ) -> None:
        inputs, x = flat_inputs(input_shape, condition_shape)
        x = dense_layers(x, hidden_units, activation)
        super().__init__(inputs, dense_heads(x, latent_dim, num_outputs), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class MLPDecoder(Decoder, default_name="decoder"):
    """Maps z to the parameters of p(x|z) with dense layers.

    Args:
        output_shape: Tuple of ints, the shape of one example: (H, W, C), (N,) or any other.
        latent_dim, hidden_units, activation: See `MLPEncoder`.
        num_parameters: Int, the `num_parameters` of the likelihood, per element of x: 1 for
            Bernoulli logits; 2 for a mean (the first C of the last axis) and a log-scale (the
            rest).
        condition_shape: Tuple of ints, the shape of one condition c, or `None`. c is flattened and
            appended to z.
        name, dtype, trainable: As for every Keras layer.

    Input shape: z (B, latent_dim), or [z, c] with c (B, *condition_shape).
    Output shape: (B, H, W, C * num_parameters) or (B, N * num_parameters), float32.

    Raises:
        ValueError: If a size or count is not a positive integer.

    Example:

    ```python
    decoder = MLPDecoder((28, 28, 1), latent_dim=50, hidden_units=(200, 200), activation="tanh")
    logits = decoder(z)  # (B, 28, 28, 1)
    ```

    Reference:
        - [Kingma and Welling, 2014](https://arxiv.org/abs/1312.6114), "Auto-Encoding Variational
          Bayes", appendix C
    """

    def __init__(
        self,
        output_shape: Shape,
        latent_dim: int,
        hidden_units: Sequence[int] = (256, 512),
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_parameters: int = 1,
        condition_shape: Shape | None = None,
        **kwargs: Any,
    ) -> None:
        inputs, x = latent_inputs(latent_dim, condition_shape)
        x = dense_layers(x, hidden_units, activation)
        super().__init__(inputs, dense_output(x, output_shape, num_parameters), **kwargs)
