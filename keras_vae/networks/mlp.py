"""Encoder and decoder of dense layers, for data of any shape."""

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
        input_shape: shape of one example: (H, W, C), (N,) or any other.
        latent_dim: D, the size of z.
        hidden_units: units of the hidden layers, in the order of the data. () gives a linear map.
        activation: name or function, after every hidden layer.
        num_outputs: 2 for the mean and log-variance; 1 for a single tensor z, as deterministic
            codes, classifiers (their logits) and discriminators need; 3 for the last hidden
            activations as well.
        condition_shape: shape of one condition c, or `None`. Its numbers follow those of x into
            the first dense layer.
        name, dtype, trainable: as for every Keras layer.

    Input shape: x (B, *input_shape), or [x, c] with c (B, *condition_shape).
    Output shape: (z_mean, z_log_var), each (B, latent_dim), float32 under every policy; z alone
        of the same shape; or (z_mean, z_log_var, features), features (B, F).

    Raises:
        ValueError: an argument that is not as above.

    Example:

    ```python
    encoder = MLPEncoder((28, 28, 1), latent_dim=50, hidden_units=(200, 200), activation="tanh")
    z_mean, z_log_var = encoder(x)
    ```

    Reference: Kingma, Welling 2014, "Auto-Encoding Variational Bayes", appendix C.2.
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
        output_shape: shape of one example: (H, W, C), (N,) or any other.
        latent_dim, hidden_units, activation: as of `MLPEncoder`.
        num_parameters: how many numbers the likelihood needs for each of x, its `num_parameters`:
            1 for Bernoulli logits; 2 for a mean (the first C of the last axis) and a log-scale
            (the rest).
        condition_shape: shape of one condition c, or `None`. Its numbers follow those of z into
            the first layer.
        name, dtype, trainable: as for every Keras layer.

    Input shape: z (B, latent_dim), or [z, c] with c (B, *condition_shape).
    Output shape: (B, H, W, C * num_parameters) or (B, N * num_parameters), float32.

    Raises:
        ValueError: an argument that is not as above.

    Example:

    ```python
    decoder = MLPDecoder((28, 28, 1), latent_dim=50, hidden_units=(200, 200), activation="tanh")
    logits = decoder(z)  # (B, 28, 28, 1)
    ```

    Reference: Kingma, Welling 2014, "Auto-Encoding Variational Bayes", appendix C.
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
