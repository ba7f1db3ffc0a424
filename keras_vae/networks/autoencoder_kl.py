"""The variational autoencoder of latent diffusion models."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.published import PUBLISHED_CHECKS
from keras_vae.networks.published import decoded
from keras_vae.networks.published import encoded
from keras_vae.networks.published import input_map
from keras_vae.networks.published import input_picture
from keras_vae.networks.published import output_picture
from keras_vae.networks.trunks import Conv


@keras.saving.register_keras_serializable(package="keras_vae")
class AutoencoderKLEncoder(Network, default_name="encoder", checks=PUBLISHED_CHECKS):
    """Maps pictures to the means and log-variances of latent maps.

    The encoder of Stable Diffusion 1, 2, XL and 3 and of Flux, which differ in `latent_dim` and
    `has_quant_conv`: residual blocks with group norms, and attention in the middle. Group norms and
    attention see the whole picture.

    Args:
        input_shape: Tuple, (None, None, C) for pictures of any size, or (H, W, C) with multiples of
            2^(number of stages - 1). The published models take RGB values in [-1, 1].
        latent_dim: Int, D, the channels of the latent map.
        filters: Tuple of ints, the channels of the stages; all but the last halve the map.
        num_blocks: Int, the residual blocks of a stage.
        num_groups: Int, the groups of the group norms, which must divide all `filters`.
        has_attention: Bool, whether there is attention in the middle.
        has_quant_conv: Bool, whether a final 1 x 1 convolution mixes means and log-variances.
        name, dtype, trainable: As for every Keras layer.

    Input shape: x (B, H, W, C).
    Output shape: (z_mean, z_log_var), each (B, h, w, latent_dim), float32 under every policy.

    Raises:
        ValueError: If a known height or width is not such a multiple, `num_groups` does not divide
            the filters, or a count is not a positive int.

    Example:

    ```python
    encoder = AutoencoderKLEncoder(filters=(32, 64), num_blocks=1)  # with two stages: half the size
    ```

    Reference:
        - [Rombach et al., 2022](https://arxiv.org/abs/2112.10752), "High-resolution image synthesis
          with latent diffusion models"
    """

    def __init__(
        self,
        input_shape: tuple[int | None, ...] = (None, None, 3),
        latent_dim: int = 4,
        filters: Sequence[int] = (128, 256, 512, 512),
        num_blocks: int = 2,
        num_groups: int = 32,
        has_attention: bool = True,
        has_quant_conv: bool = True,
        **kwargs: Any,
    ) -> None:
        inputs = input_picture(input_shape, len(filters) - 1)
        x = encoded(inputs, tuple(filters), num_blocks, num_groups, has_attention)
        x = Conv(2 * latent_dim, 3, dtype="float32", name="conv_out")(x)
        if has_quant_conv:
            x = Conv(2 * latent_dim, 1, dtype="float32", name="quant_conv")(x)
        super().__init__([inputs], tuple(ops.split(x, 2, axis=-1)), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class AutoencoderKLDecoder(Decoder, default_name="decoder", checks=PUBLISHED_CHECKS):
    """Maps latent maps to pictures: the mirror image of `AutoencoderKLEncoder`.

    Args:
        output_shape: Tuple, (None, None, C) for pictures of any size, or (H, W, C).
        latent_dim, num_groups, has_attention: See `AutoencoderKLEncoder`.
        filters: Tuple of ints, the channels of the stages; all but the last double the map.
        num_blocks: Int, the residual blocks of a stage; in the published models one more than in
            the encoder.
        has_quant_conv: Bool, whether a 1 x 1 convolution comes first.
        num_parameters: Int, the number of outputs for each element of x.
        name, dtype, trainable: As for every Keras layer.

    Input shape: z (B, h, w, latent_dim).
    Output shape: (B, H, W, C * num_parameters), float32 under every policy.

    Raises:
        ValueError: As for `AutoencoderKLEncoder`.

    Reference: see `AutoencoderKLEncoder`.
    """

    def __init__(
        self,
        output_shape: tuple[int | None, ...] = (None, None, 3),
        latent_dim: int = 4,
        filters: Sequence[int] = (512, 512, 256, 128),
        num_blocks: int = 3,
        num_groups: int = 32,
        has_attention: bool = True,
        has_quant_conv: bool = True,
        num_parameters: int = 1,
        **kwargs: Any,
    ) -> None:
        inputs = x = input_map(output_shape, latent_dim, len(filters) - 1)
        if has_quant_conv:
            x = Conv(latent_dim, 1, name="quant_conv")(x)
        x = decoded(x, tuple(filters), num_blocks, num_groups, has_attention)
        super().__init__([inputs], output_picture(x, output_shape, num_parameters), **kwargs)
