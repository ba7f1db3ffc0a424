"""Encoders and decoders between pictures and latent maps, of which quantized models are made."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from keras_vae.networks.arguments import PICTURE_CHECKS
from keras_vae.networks.condition import picture_inputs
from keras_vae.networks.heads import doubled_output
from keras_vae.networks.heads import map_head
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
    """Returns the inputs of a decoder from the latent maps of its mirror image, and its start."""
    *size, _ = smallest_map(output_shape, filters)
    return picture_inputs((*size, latent_dim), condition_shape)


@keras.saving.register_keras_serializable(package="keras_vae")
class ConvMapEncoder(Network, default_name="encoder", checks=PICTURE_CHECKS):
    """Maps pictures to latent maps z_e of a quantized model with convolutions of stride 2.

    Each stage halves height and width, rounded up; a linear convolution of one pixel gives z_e.
    Encoders can be chained: a map may stand in the place of the picture.

    Args:
        input_shape: (H, W, C), any sizes.
        latent_dim: D, the channels of z_e.
        filters: channels of the stages, in the order of the data.
        kernel_size: size of every kernel but the last, which is 1.
        activation: name or function, after every convolution but the last.
        condition_shape: as of `ConvEncoder`.
        name, dtype, trainable: as for every Keras layer.

    Input shape: x (B, H, W, C), channels last, or [x, c] with c (B, *condition_shape).
    Output shape: (B, h, w, latent_dim), float32 under every policy.

    Raises:
        ValueError: an argument that is not as above, an `input_shape` without channels among them.

    Example:

    ```python
    encoder = ConvMapEncoder((28, 28, 1), latent_dim=16)
    z_e = encoder(x)  # (B, 7, 7, 16)
    ```

    Reference: van den Oord et al. 2017, "Neural Discrete Representation Learning", section 4.1.
    """

    def __init__(
        self,
        input_shape: Shape,
        latent_dim: int,
        filters: Sequence[int] = (64, 128),
        kernel_size: int = 3,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        condition_shape: Shape | None = None,
        **kwargs: Any,
    ) -> None:
        inputs, x = picture_inputs(input_shape, condition_shape)
        x = halvings(x, filters, kernel_size=kernel_size, activation=activation)
        super().__init__(inputs, map_head(x, latent_dim), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class ResNetMapEncoder(Network, default_name="encoder", checks=PICTURE_CHECKS):
    """Maps pictures to latent maps z_e of a quantized model: a `ConvMapEncoder` with residual
    blocks.

    As in the first paper, the blocks come after the last halving. They start as the identity, so a
    deep network starts as the `ConvMapEncoder` of the same filters.

    Args:
        input_shape, latent_dim, filters, kernel_size, condition_shape: as of `ConvMapEncoder`.
        num_blocks: residual blocks at the size of z_e.
        activation: name or function, after every halving and inside the blocks.
        name, dtype, trainable: as for every Keras layer.

    Input, output and errors: as of `ConvMapEncoder`.

    Example:

    ```python
    bottom = ResNetMapEncoder((32, 32, 3), latent_dim=64)  # to (B, 8, 8, 64)
    top = ResNetMapEncoder((8, 8, 64), latent_dim=64, filters=(128,))  # to (B, 4, 4, 64)
    ```

    Reference: van den Oord et al. 2017, "Neural Discrete Representation Learning", section 4.1; He
    et al. 2016, "Identity Mappings in Deep Residual Networks".
    """

    def __init__(
        self,
        input_shape: Shape,
        latent_dim: int,
        filters: Sequence[int] = (64, 128),
        num_blocks: int = 2,
        kernel_size: int = 3,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        condition_shape: Shape | None = None,
        **kwargs: Any,
    ) -> None:
        options: dict[str, Any] = {"kernel_size": kernel_size, "activation": activation}
        inputs, x = picture_inputs(input_shape, condition_shape)
        x = halvings(x, filters, **options)
        x = residual_blocks(num_blocks, **options)(x, stage=len(filters))
        super().__init__(inputs, map_head(x, latent_dim), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class ConvMapDecoder(Decoder, default_name="decoder", checks=PICTURE_CHECKS):
    """Maps latent maps z_q of a quantized model to the parameters of p(x|z) with sub-pixel
    convolutions.

    The mirror image of `ConvMapEncoder`: after one convolution at the size of z_q each stage
    doubles it, cut to the size the encoder had there; the last doubling gives the parameters. Its
    output may be a map too, which another decoder takes.

    Args:
        output_shape: (H, W, C), any sizes.
        latent_dim: D, the channels of z_q.
        filters: channels of the stages, in the order of the data: the mirror image of
            `ConvMapEncoder(filters=(64, 128))` is `ConvMapDecoder(filters=(128, 64))`.
        kernel_size: size of every kernel.
        activation: name or function, after every layer but the last.
        num_parameters: as of `MLPDecoder`.
        condition_shape: as of `ConvEncoder`, with z_q in the place of x.
        name, dtype, trainable: as for every Keras layer.

    Input shape: z_q (B, h, w, latent_dim), or [z_q, c] with c (B, *condition_shape).
    Output shape: (B, H, W, C * num_parameters), float32 under every policy.

    Raises:
        ValueError: an argument that is not as above, an `output_shape` without channels among them.

    Example:

    ```python
    decoder = ConvMapDecoder((28, 28, 1), latent_dim=16)
    logits = decoder(z_q)  # (B, 7, 7, 16) to (B, 28, 28, 1)
    ```

    Reference: van den Oord et al. 2017, "Neural Discrete Representation Learning", section 4.1.
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
class ResNetMapDecoder(Decoder, default_name="decoder", checks=PICTURE_CHECKS):
    """Maps latent maps z_q of a quantized model to the parameters of p(x|z): a `ConvMapDecoder`
    with residual blocks.

    As in the first paper, the blocks come before the first doubling. They start as the identity.

    Args:
        output_shape, latent_dim, filters, kernel_size, num_parameters, condition_shape: as of
            `ConvMapDecoder`.
        num_blocks: residual blocks at the size of z_q.
        activation: name or function, after the first convolution, every doubling but the last, and
            inside the blocks.
        name, dtype, trainable: as for every Keras layer.

    Input, output and errors: as of `ConvMapDecoder`.

    Example:

    ```python
    top = ResNetMapDecoder((8, 8, 64), latent_dim=64, filters=(128,))  # from (B, 4, 4, 64)
    bottom = ResNetMapDecoder((32, 32, 3), latent_dim=64 + 64)  # from (B, 8, 8, 128)
    ```

    Reference: as of `ResNetMapEncoder`.
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
