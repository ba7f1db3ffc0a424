"""The tiny autoencoder distilled from those of latent diffusion models."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.published import TINY_CHECKS
from keras_vae.networks.published import doubled
from keras_vae.networks.published import input_map
from keras_vae.networks.published import input_picture
from keras_vae.networks.published import output_picture
from keras_vae.networks.published import soft_clamp
from keras_vae.networks.trunks import Conv
from keras_vae.typing import Tensor


def _blocks(x, stage, num_blocks, activation, has_norm):
    for i in range(1, num_blocks + 1):
        name, channels = f"stage_{stage}_block_{i}", x.shape[-1]
        if has_norm:
            y = Conv(4 * channels, 1, use_bias=False, name=f"{name}_pool_in")(x)
            y = keras.layers.GroupNormalization(4, epsilon=1e-5, name=f"{name}_pool_norm")(y)
            x = x + Conv(channels, 1, use_bias=False, name=f"{name}_pool_out")(
                keras.activations.relu(y)
            )
        y = Conv(channels, 3, activation=activation, name=f"{name}_conv_first")(x)
        y = Conv(channels, 3, activation=activation, name=f"{name}_conv_second")(y)
        x = keras.activations.relu(x + Conv(channels, 3, name=f"{name}_conv_third")(y))
    return x


@keras.saving.register_keras_serializable(package="keras_vae")
class TinyEncoder(Network, default_name="encoder", checks=TINY_CHECKS):
    """Maps pictures to latent maps, 8 times smaller, with 1.2 million parameters.

    It imitates the encoder of a latent diffusion model, whose latents it approximates: 4 channels
    for Stable Diffusion 1, 2 and XL, 16 for Stable Diffusion 3 and Flux 1, 32 for Flux 2.

    Args:
        input_shape: Tuple, (None, None, C) for pictures of any size, or (H, W, C) with multiples of
            8. The published models take RGB values in [0, 1].
        latent_dim: Int, D, the channels of the latent map.
        num_channels: Int, the channels of all hidden maps.
        num_blocks: Tuple of ints, the residual blocks of each stage; all but the first halve.
        activation: String or callable, the activation inside the blocks.
        has_norm: Bool, whether a group-normalised branch precedes each block of the last stage. It
            sees the whole picture.
        num_outputs: Int, 1 for z, 2 for (z_mean, z_log_var), or 3 for these and the last hidden
            map.
        name, dtype, trainable: As for every Keras layer.

    Input shape: x (B, H, W, C).
    Output shape: (B, H / 8, W / 8, latent_dim), or two of them, float32 under every policy.

    Raises:
        ValueError: If a known height or width is not a multiple of 8, or a count is not positive.

    Example:

    ```python
    model = VAE(TinyEncoder(num_outputs=2), TinyDecoder(), GaussianLikelihood())
    ```

    Reference:
        - [Ollin Boer Bohan, 2023](https://github.com/madebyollin/taesd), "Tiny AutoEncoder for
          Stable Diffusion"
    """

    def __init__(
        self,
        input_shape: tuple[int | None, ...] = (None, None, 3),
        latent_dim: int = 4,
        num_channels: int = 64,
        num_blocks: Sequence[int] = (1, 3, 3, 3),
        activation: str | Callable[[Tensor], Tensor] = "relu",
        has_norm: bool = False,
        num_outputs: int = 1,
        **kwargs: Any,
    ) -> None:
        inputs = input_picture(input_shape, len(num_blocks) - 1)
        x = Conv(num_channels, 3, name="conv_in")(inputs)
        for stage, count in enumerate(num_blocks, start=1):
            if stage > 1:
                # PyTorch's padding, one row above and one below; "same" would not pad above.
                x = keras.layers.ZeroPadding2D(
                    1, data_format="channels_last", name=f"stage_{stage}_padding"
                )(x)
                x = Conv(
                    num_channels,
                    3,
                    strides=2,
                    padding="valid",
                    use_bias=False,
                    name=f"stage_{stage}_halving",
                )(x)
            x = _blocks(x, stage, count, activation, has_norm and stage == len(num_blocks))
        names = ("z",) if num_outputs == 1 else ("z_mean", "z_log_var")
        heads = [Conv(latent_dim, 3, dtype="float32", name=name)(x) for name in names]
        outputs = {1: heads[0], 2: tuple(heads), 3: (*heads, x)}[num_outputs]
        super().__init__([inputs], outputs, **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class TinyDecoder(Decoder, default_name="decoder", checks=TINY_CHECKS):
    """Maps latent maps to pictures 8 times larger: the mirror image of `TinyEncoder`.

    It begins with 3 tanh(z / 3), which keeps extreme latents from spoiling the picture.

    Args:
        output_shape: Tuple, (None, None, C) for pictures of any size, or (H, W, C) with multiples
            of 8.
        latent_dim, num_channels, activation: See `TinyEncoder`.
        num_blocks: Tuple of ints, the residual blocks of each stage; all but the last double.
        has_norm: Bool, whether a group-normalised branch precedes each block of the first stage.
        num_parameters: Int, the number of outputs for each element of x.
        name, dtype, trainable: As for every Keras layer.

    Input shape: z (B, h, w, latent_dim).
    Output shape: (B, 8 h, 8 w, C * num_parameters), float32 under every policy.

    Raises:
        ValueError: If a known height or width is not a multiple of 8, or a count is not positive.

    Reference: see `TinyEncoder`.
    """

    def __init__(
        self,
        output_shape: tuple[int | None, ...] = (None, None, 3),
        latent_dim: int = 4,
        num_channels: int = 64,
        num_blocks: Sequence[int] = (3, 3, 3, 1),
        activation: str | Callable[[Tensor], Tensor] = "relu",
        has_norm: bool = False,
        num_parameters: int = 1,
        **kwargs: Any,
    ) -> None:
        inputs = input_map(output_shape, latent_dim, len(num_blocks) - 1)
        x = soft_clamp(inputs)
        x = Conv(num_channels, 3, activation=activation, name="conv_in")(x)
        for stage, count in enumerate(num_blocks, start=1):
            x = _blocks(x, stage, count, activation, has_norm and stage == 1)
            if stage < len(num_blocks):
                x = doubled(x, f"stage_{stage}_repeating")
                x = Conv(num_channels, 3, use_bias=False, name=f"stage_{stage}_doubling")(x)
        super().__init__([inputs], output_picture(x, output_shape, num_parameters), **kwargs)
