"""Residual networks from map to map, the levels of deep convolutional ladders."""

from collections.abc import Callable
from typing import Any

import keras

from keras_vae.checks import check_count
from keras_vae.layers.subpixel import SubpixelUpsampling2D
from keras_vae.networks.arguments import PICTURE_CHECKS
from keras_vae.networks.heads import with_output_bias
from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.trunks import Conv
from keras_vae.networks.trunks import halved_sizes
from keras_vae.networks.trunks import residual_blocks
from keras_vae.typing import Shape
from keras_vae.typing import Tensor

_CHECKS = PICTURE_CHECKS | {"filters": check_count}


def resized(x: Tensor, channels: int, output_shape: Shape, **arguments: Any) -> Tensor:
    """Returns a convolution of x (B, H, W, C) with the height and width of `output_shape`.

    It has stride 2 to halve the size and is a sub-pixel convolution to double it.

    Raises:
        ValueError: If the size is neither kept, nor halved, nor doubled.
    """
    before, after = tuple(x.shape[1:3]), output_shape[:2]
    if after == before:
        return Conv(channels, **arguments)(x)
    if after == halved_sizes(*before, times=1)[1]:
        return Conv(channels, strides=2, **arguments)(x)
    if before == halved_sizes(*after, times=1)[1]:
        return SubpixelUpsampling2D(channels, target_size=after, **arguments)(x)
    raise ValueError(
        f"`output_shape` must have the height and width of `input_shape`, {before}, or half or "
        f"twice that. Received: {after}. Chain one network per halving, with sizes rounded up."
    )


@keras.saving.register_keras_serializable(package="keras_vae")
class LadderEncoder(Network, default_name="encoder", checks=_CHECKS):
    """Maps an image or map to mean and log-variance of a latent map: one level of a ladder.

    A convolution to the size of the latent map, residual blocks, and one convolution each for mean
    and log-variance. On the way up in a `LadderVAE`, it gives q(z_l|x) and features for the next
    encoder. On the way down it gives p(z_l|z_{l+1}) and features that bypass z_l: the next decoder
    takes both, joined, so that its `input_shape` has the channels of z_l plus `filters`.

    Args:
        input_shape: Tuple of 3 ints, (H, W, C), the shape of the input.
        output_shape: Tuple of 3 ints, (h, w, c), the shape of the latent map. (h, w) is (H, W),
            half of it (rounded up), or twice it (or one less).
        filters: Int, the number of channels of the features.
        num_blocks: Int, the number of residual blocks.
        kernel_size: Int, the size of every kernel.
        activation: String or callable, the activation after the first convolution and inside the
            blocks.
        name, dtype, trainable: As for every Keras layer.

    Input shape: (B, H, W, C), channels last.
    Output shape: (z_mean, z_log_var, features): z_mean and z_log_var (B, h, w, c), float32 under
        every policy, and features (B, h, w, filters).

    Raises:
        ValueError: If a size or count is not a positive integer, a shape is not (H, W, C), or
            `output_shape` is not reached by keeping, halving or doubling the size.

    Example:

    ```python
    model = LadderVAE(
        encoders=[
            LadderEncoder((28, 28, 1), (14, 14, 8), filters=64),
            LadderEncoder((14, 14, 64), (7, 7, 16), filters=64),
        ],
        decoders=[
            LadderDecoder((14, 14, 8 + 64), (28, 28, 1), filters=64),
            LadderEncoder((7, 7, 16), (14, 14, 8), filters=64),
        ],
    )
    ```

    Reference:
        - [He et al., 2016](https://arxiv.org/abs/1603.05027), "Identity Mappings in Deep Residual
          Networks"
        - [Sønderby et al., 2016](https://arxiv.org/abs/1602.02282), "Ladder Variational
          Autoencoders"
    """

    def __init__(
        self,
        input_shape: Shape,
        output_shape: Shape,
        filters: int = 64,
        num_blocks: int = 2,
        kernel_size: int = 3,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        **kwargs: Any,
    ) -> None:
        options: dict[str, Any] = {"kernel_size": kernel_size, "activation": activation}
        inputs = keras.Input(input_shape, name="x")
        x = resized(inputs, filters, output_shape, name="conv", **options)
        x = residual_blocks(num_blocks, **options)(x, stage=1)
        head: dict[str, Any] = {
            "filters": output_shape[-1],
            "kernel_size": kernel_size,
            "dtype": "float32",
        }
        gaussian = [Conv(name=name, **head)(x) for name in ("z_mean", "z_log_var")]
        super().__init__([inputs], (*gaussian, x), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class LadderDecoder(Decoder, default_name="decoder", checks=_CHECKS):
    """Maps the lowest latent map of a ladder to the parameters of p(x|z).

    A convolution, residual blocks, and a convolution to the parameters and the size of x.

    Args:
        input_shape: Tuple of 3 ints, (h, w, c), the shape of the input: z_1 joined with the
            features that bypass it.
        output_shape: Tuple of 3 ints, (H, W, C), the shape of x. (H, W) is (h, w), half of it
            (rounded up), or twice it (or one less).
        filters: Int, the number of channels of the residual blocks.
        num_blocks, kernel_size, activation: See `LadderEncoder`.
        num_parameters: See `MLPDecoder`.
        name, dtype, trainable: As for every Keras layer.

    Input shape: (B, h, w, c), channels last.
    Output shape: (B, H, W, C * num_parameters), float32 under every policy.

    Raises:
        ValueError: If a size or count is not a positive integer, a shape is not (H, W, C), or
            `output_shape` is not reached by keeping, halving or doubling the size.

    Example:

    ```python
    decoder = LadderDecoder((14, 14, 72), (28, 28, 1), filters=64)
    logits = decoder(z)  # (B, 28, 28, 1)
    ```

    Reference: see `LadderEncoder`.
    """

    def __init__(
        self,
        input_shape: Shape,
        output_shape: Shape,
        filters: int = 64,
        num_blocks: int = 2,
        kernel_size: int = 3,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_parameters: int = 1,
        **kwargs: Any,
    ) -> None:
        options: dict[str, Any] = {"kernel_size": kernel_size, "activation": activation}
        inputs = keras.Input(input_shape, name="z")
        x = Conv(filters, name="conv", **options)(inputs)
        x = residual_blocks(num_blocks, **options)(x, stage=1)
        head = {"kernel_size": kernel_size, "use_bias": False, "dtype": "float32", "name": "output"}
        x = resized(x, output_shape[-1] * num_parameters, output_shape, **head)
        super().__init__([inputs], with_output_bias(x), **kwargs)
