"""Encoders and decoders between images of any size and latent maps."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from keras_vae.networks.arguments import MAP_CHECKS
from keras_vae.networks.condition import picture_inputs
from keras_vae.networks.heads import doubled_output
from keras_vae.networks.heads import map_heads
from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.trunks import Conv
from keras_vae.networks.trunks import doublings
from keras_vae.networks.trunks import halvings
from keras_vae.networks.trunks import residual_blocks
from keras_vae.networks.trunks import smallest_map
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


def latent_map_inputs(
    output_shape: Shape, latent_dim: int, filters: Sequence[int], condition_shape: Shape | None
) -> tuple[list[Tensor], Tensor]:
    """Returns the inputs of a decoder of latent maps, and the map with its condition appended."""
    *size, _ = smallest_map(output_shape, filters)
    return picture_inputs((*size, latent_dim), condition_shape)


@keras.saving.register_keras_serializable(package="keras_vae")
class ConvMapEncoder(Network, default_name="encoder", checks=MAP_CHECKS):
    """Maps images to latent maps with convolutions of stride 2: z_e of a quantized model, or the
    mean and log-variance of q(z|x).

    Each stage halves height and width, rounded up; linear 1 x 1 convolutions compute the outputs.
    Encoders can be chained: a map may take the place of the image.

    Args:
        input_shape: Tuple of 3 ints, (H, W, C), of any size, or (None, None, C): the network
            then takes images of any size, and its model pads them to multiples of the stride.
        latent_dim: Int, D, the number of channels of each output.
        filters: Tuple of ints, the channels of the stages in order.
        kernel_size: Int, the size of every kernel but the last, which is 1.
        activation: String or callable, the activation of every convolution but the last.
        num_outputs: Int, 1 for z_e (B, h, w, latent_dim), 2 for (z_mean, z_log_var), or 3 for
            these and the last hidden map.
        condition_shape: See `ConvEncoder`. If height and width of x are `None`, every element of
            the condition is appended as a channel.
        name, dtype, trainable: As for every Keras layer.

    Input shape: x (B, H, W, C), channels last, or [x, c] with c (B, *condition_shape).
    Output shape: (B, h, w, latent_dim), or two of them, float32 under every policy.

    Raises:
        ValueError: If `input_shape` is neither (H, W, C) nor (None, None, C), or a size or count is
            not a positive int.

    Example:

    ```python
    encoder = ConvMapEncoder((28, 28, 1), latent_dim=16)
    z_e = encoder(x)  # (B, 7, 7, 16)
    of_any_size = ConvMapEncoder((None, None, 3), latent_dim=8, num_outputs=2)
    z_mean, z_log_var = of_any_size(photograph[None])  # (1, h, w, 8) each
    ```

    Reference:
        - [van den Oord et al., 2017](https://arxiv.org/abs/1711.00937), "Neural Discrete
          Representation Learning", section 4.1
    """

    def __init__(
        self,
        input_shape: Shape,
        latent_dim: int,
        filters: Sequence[int] = (64, 128),
        kernel_size: int = 3,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_outputs: int = 1,
        condition_shape: Shape | None = None,
        **kwargs: Any,
    ) -> None:
        inputs, x = picture_inputs(input_shape, condition_shape)
        x = halvings(x, filters, kernel_size=kernel_size, activation=activation)
        super().__init__(inputs, map_heads(x, latent_dim, num_outputs), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class ResNetMapEncoder(Network, default_name="encoder", checks=MAP_CHECKS):
    """Maps images to latent maps: a `ConvMapEncoder` with residual blocks.

    As in the first paper, the blocks follow the last halving. They start as the identity, so a deep
    network starts as the `ConvMapEncoder` of the same filters.

    Args:
        input_shape, latent_dim, filters, kernel_size, num_outputs, condition_shape: See
            `ConvMapEncoder`.
        num_blocks: Int, the number of residual blocks at the size of the latent map.
        activation: String or callable, the activation after every halving and inside the blocks.
        name, dtype, trainable: As for every Keras layer.

    Input, output and errors: as for `ConvMapEncoder`.

    Example:

    ```python
    bottom = ResNetMapEncoder((32, 32, 3), latent_dim=64)  # to (B, 8, 8, 64)
    top = ResNetMapEncoder((8, 8, 64), latent_dim=64, filters=(128,))  # to (B, 4, 4, 64)
    ```

    Reference:
        - [van den Oord et al., 2017](https://arxiv.org/abs/1711.00937), "Neural Discrete
          Representation Learning", section 4.1
        - [He et al., 2016](https://arxiv.org/abs/1603.05027), "Identity Mappings in Deep Residual
          Networks"
    """

    def __init__(
        self,
        input_shape: Shape,
        latent_dim: int,
        filters: Sequence[int] = (64, 128),
        num_blocks: int = 2,
        kernel_size: int = 3,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_outputs: int = 1,
        condition_shape: Shape | None = None,
        **kwargs: Any,
    ) -> None:
        options: dict[str, Any] = {"kernel_size": kernel_size, "activation": activation}
        inputs, x = picture_inputs(input_shape, condition_shape)
        x = halvings(x, filters, **options)
        x = residual_blocks(num_blocks, **options)(x, stage=len(filters))
        super().__init__(inputs, map_heads(x, latent_dim, num_outputs), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class ConvMapDecoder(Decoder, default_name="decoder", checks=MAP_CHECKS):
    """Maps latent maps to the parameters of p(x|z) with sub-pixel convolutions.

    The mirror image of `ConvMapEncoder`: after one convolution at the size of z, each stage
    doubles the map, cropped to the encoder's size there; the last doubling gives the parameters.
    Decoders can be chained: the output may be a map for another decoder.

    Args:
        output_shape: Tuple of 3 ints, (H, W, C), of any size, or (None, None, C): the network then
            takes latent maps of any size.
        latent_dim: Int, D, the number of channels of z.
        filters: Tuple of ints, the channels of the stages in order. The mirror image of
            `ConvMapEncoder(filters=(64, 128))` is `ConvMapDecoder(filters=(128, 64))`.
        kernel_size: Int, the size of every kernel.
        activation: String or callable, the activation of every layer but the last.
        num_parameters: See `MLPDecoder`.
        condition_shape: See `ConvMapEncoder`, with z in place of x.
        name, dtype, trainable: As for every Keras layer.

    Input shape: z (B, h, w, latent_dim), or [z, c] with c (B, *condition_shape).
    Output shape: (B, H, W, C * num_parameters), float32 under every policy. If H and W are unknown,
        they are 2^n h and 2^n w for n stages.

    Raises:
        ValueError: If `output_shape` is neither (H, W, C) nor (None, None, C), or a size or count
            is not a positive int.

    Example:

    ```python
    decoder = ConvMapDecoder((28, 28, 1), latent_dim=16)
    logits = decoder(z)  # (B, 7, 7, 16) to (B, 28, 28, 1)
    ```

    Reference:
        - [van den Oord et al., 2017](https://arxiv.org/abs/1711.00937), "Neural Discrete
          Representation Learning", section 4.1
    """

    def __init__(
        self,
        output_shape: Shape,
        latent_dim: int,
        filters: Sequence[int] = (128, 64),
        kernel_size: int = 3,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_parameters: int = 1,
        condition_shape: Shape | None = None,
        **kwargs: Any,
    ) -> None:
        options: dict[str, Any] = {"kernel_size": kernel_size, "activation": activation}
        inputs, x = latent_map_inputs(output_shape, latent_dim, filters, condition_shape)
        x = Conv(filters[0], name="conv", **options)(x)
        x = doublings(x, filters, output_shape, **options)
        outputs = doubled_output(x, output_shape, num_parameters, kernel_size)
        super().__init__(inputs, outputs, **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class ResNetMapDecoder(Decoder, default_name="decoder", checks=MAP_CHECKS):
    """Maps latent maps to the parameters of p(x|z): a `ConvMapDecoder` with residual blocks.

    As in the first paper, the blocks precede the first doubling. They start as the identity.

    Args:
        output_shape, latent_dim, filters, kernel_size, num_parameters, condition_shape: See
            `ConvMapDecoder`.
        num_blocks: Int, the number of residual blocks at the size of z.
        activation: String or callable, the activation after the first convolution, after every
            doubling but the last, and inside the blocks.
        name, dtype, trainable: As for every Keras layer.

    Input, output and errors: as for `ConvMapDecoder`.

    Example:

    ```python
    top = ResNetMapDecoder((8, 8, 64), latent_dim=64, filters=(128,))  # from (B, 4, 4, 64)
    bottom = ResNetMapDecoder((32, 32, 3), latent_dim=64 + 64)  # from (B, 8, 8, 128)
    ```

    Reference: see `ResNetMapEncoder`.
    """

    def __init__(
        self,
        output_shape: Shape,
        latent_dim: int,
        filters: Sequence[int] = (128, 64),
        num_blocks: int = 2,
        kernel_size: int = 3,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_parameters: int = 1,
        condition_shape: Shape | None = None,
        **kwargs: Any,
    ) -> None:
        options: dict[str, Any] = {"kernel_size": kernel_size, "activation": activation}
        refine = residual_blocks(num_blocks, **options)
        inputs, x = latent_map_inputs(output_shape, latent_dim, filters, condition_shape)
        x = refine(Conv(filters[0], name="conv", **options)(x), stage=1)
        x = doublings(x, filters, output_shape, **options)
        outputs = doubled_output(x, output_shape, num_parameters, kernel_size)
        super().__init__(inputs, outputs, **kwargs)
