"""Convolutional encoder and decoder for images of any size."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from keras_vae.networks.arguments import PICTURE_CHECKS
from keras_vae.networks.condition import latent_inputs
from keras_vae.networks.condition import picture_inputs
from keras_vae.networks.heads import dense_heads
from keras_vae.networks.heads import doubled_output
from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.trunks import doublings
from keras_vae.networks.trunks import flatten
from keras_vae.networks.trunks import halvings
from keras_vae.networks.trunks import latent_to_map
from keras_vae.networks.trunks import smallest_map
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class ConvEncoder(Network, default_name="encoder", checks=PICTURE_CHECKS):
    """Maps images to the mean and log-variance of q(z|x) with convolutions of stride 2.

    Each stage halves height and width, rounded up; a size of 1 stays 1.

    Args:
        input_shape: Tuple of 3 ints, (H, W, C), of any size.
        latent_dim: Int, D, the size of z.
        filters: Tuple of ints, the channels of the stages in order.
        kernel_size: Int, the size of every kernel.
        activation: String or callable, the activation of every convolution.
        num_outputs: Int, see `MLPEncoder`. The features are flattened.
        condition_shape: Tuple of ints, the shape of one condition c, or `None`. An image of the
            size of x is appended to its channels; a dense layer turns any other condition into one
            channel.
        name, dtype, trainable: As for every Keras layer.

    Input shape: x (B, H, W, C), channels last, or [x, c] with c (B, *condition_shape).
    Output shape: as for `MLPEncoder`.

    Raises:
        ValueError: If `input_shape` is not (H, W, C), or a size or count is not a positive int.

    Example:

    ```python
    encoder = ConvEncoder((28, 20, 1), latent_dim=16)
    z_mean, z_log_var = encoder(x)
    ```
    """

    def __init__(
        self,
        input_shape: Shape,
        latent_dim: int,
        filters: Sequence[int] = (32, 64),
        kernel_size: int = 3,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_outputs: int = 2,
        condition_shape: Shape | None = None,
        **kwargs: Any,
    ) -> None:
        inputs, x = picture_inputs(input_shape, condition_shape)
        x = halvings(x, filters, kernel_size=kernel_size, activation=activation)
        super().__init__(inputs, dense_heads(flatten(x), latent_dim, num_outputs), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class ConvDecoder(Decoder, default_name="decoder", checks=PICTURE_CHECKS):
    """Maps z to the parameters of p(x|z) with sub-pixel convolutions.

    The mirror image of `ConvEncoder`: a dense layer computes the smallest map, and each stage
    doubles it, cropped to the encoder's size there; the last doubling gives the parameters. Its
    gradients are fast on every backend (see `SubpixelUpsampling2D`).

    Args:
        output_shape: Tuple of 3 ints, (H, W, C), of any size.
        latent_dim: Int, D, the size of z.
        filters: Tuple of ints, the channels of the stages in order. The mirror image of
            `ConvEncoder(filters=(32, 64))` is `ConvDecoder(filters=(64, 32))`.
        kernel_size: Int, the size of every kernel.
        activation: String or callable, the activation of every layer but the last.
        num_parameters, condition_shape: See `MLPDecoder`.
        name, dtype, trainable: As for every Keras layer.

    Input shape: z (B, latent_dim), or [z, c] with c (B, *condition_shape).
    Output shape: (B, H, W, C * num_parameters), float32 under every policy.

    Raises:
        ValueError: If `output_shape` is not (H, W, C), or a size or count is not a positive int.

    Example:

    ```python
    decoder = ConvDecoder((28, 20, 1), latent_dim=16)
    logits = decoder(z)  # (B, 28, 20, 1)
    ```
    """

    def __init__(
        self,
        output_shape: Shape,
        latent_dim: int,
        filters: Sequence[int] = (64, 32),
        kernel_size: int = 3,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_parameters: int = 1,
        condition_shape: Shape | None = None,
        **kwargs: Any,
    ) -> None:
        options: dict[str, Any] = {"kernel_size": kernel_size, "activation": activation}
        inputs, x = latent_inputs(latent_dim, condition_shape)
        x = latent_to_map(x, smallest_map(output_shape, filters), activation)
        x = doublings(x, filters, output_shape, **options)
        outputs = doubled_output(x, output_shape, num_parameters, kernel_size)
        super().__init__(inputs, outputs, **kwargs)
