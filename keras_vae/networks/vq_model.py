"""The quantized autoencoder of latent diffusion models."""

from collections.abc import Sequence
from typing import Any

import keras

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
class VQModelEncoder(Network, default_name="encoder", checks=PUBLISHED_CHECKS):
    """Maps pictures to the latent maps z_e of a `VQVAE`: an `AutoencoderKLEncoder` without
    variances.

    Args:
        input_shape, filters, num_blocks, num_groups, has_attention: See `AutoencoderKLEncoder`.
        latent_dim: Int, D, the dimensions of a code.
        num_channels: Int, the channels of the map before the last convolution, which is 1 x 1.
        name, dtype, trainable: As for every Keras layer.

    Input shape: x (B, H, W, C).
    Output shape: z_e (B, h, w, latent_dim), float32 under every policy.

    Raises:
        ValueError: As for `AutoencoderKLEncoder`.

    Example:

    ```python
    networks = VQModelEncoder(latent_dim=4), VQModelDecoder(latent_dim=4)
    model = VQVAE(*networks, VectorQuantizer(1024), GaussianLikelihood())
    ```

    Reference:
        - [Esser et al., 2021](https://arxiv.org/abs/2012.09841), "Taming transformers for
          high-resolution image synthesis"
        - [Rombach et al., 2022](https://arxiv.org/abs/2112.10752)
    """

    def __init__(
        self,
        input_shape: tuple[int | None, ...] = (None, None, 3),
        latent_dim: int = 3,
        filters: Sequence[int] = (128, 256, 512),
        num_blocks: int = 2,
        num_groups: int = 32,
        num_channels: int = 3,
        has_attention: bool = True,
        **kwargs: Any,
    ) -> None:
        inputs = input_picture(input_shape, len(filters) - 1)
        x = encoded(inputs, tuple(filters), num_blocks, num_groups, has_attention)
        x = Conv(num_channels, 3, dtype="float32", name="conv_out")(x)
        z_e = Conv(latent_dim, 1, dtype="float32", name="quant_conv")(x)
        super().__init__([inputs], z_e, **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class VQModelDecoder(Decoder, default_name="decoder", checks=PUBLISHED_CHECKS):
    """Maps the latent maps z_q of a `VQVAE` to pictures: the mirror image of `VQModelEncoder`.

    Args:
        output_shape, filters, num_blocks, num_groups, has_attention, num_parameters: See
            `AutoencoderKLDecoder`.
        latent_dim: Int, D, the dimensions of a code.
        num_channels: Int, the channels of the map after the first convolution, which is 1 x 1.
        name, dtype, trainable: As for every Keras layer.

    Input shape: z_q (B, h, w, latent_dim).
    Output shape: (B, H, W, C * num_parameters), float32 under every policy.

    Raises:
        ValueError: As for `AutoencoderKLEncoder`.

    Reference: see `VQModelEncoder`.
    """

    def __init__(
        self,
        output_shape: tuple[int | None, ...] = (None, None, 3),
        latent_dim: int = 3,
        filters: Sequence[int] = (512, 256, 128),
        num_blocks: int = 3,
        num_groups: int = 32,
        num_channels: int = 3,
        has_attention: bool = True,
        num_parameters: int = 1,
        **kwargs: Any,
    ) -> None:
        inputs = input_map(output_shape, latent_dim, len(filters) - 1)
        x = Conv(num_channels, 1, name="quant_conv")(inputs)
        x = decoded(x, tuple(filters), num_blocks, num_groups, has_attention)
        super().__init__([inputs], output_picture(x, output_shape, num_parameters), **kwargs)
