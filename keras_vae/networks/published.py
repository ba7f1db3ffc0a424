"""Common parts of published autoencoders: inputs, halvings, doublings and heads."""

from typing import Any

import keras
from keras import ops

from keras_vae.layers.map_attention import MapAttention
from keras_vae.networks.arguments import MAP_CHECKS
from keras_vae.networks.arguments import check_counts
from keras_vae.networks.heads import with_output_bias
from keras_vae.networks.trunks import Conv
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


def check_flag(argument: str, value: Any) -> bool:
    """Returns `value` unchanged.

    Raises:
        ValueError: If `value` is not a bool.
    """
    if not isinstance(value, bool):
        raise ValueError(f"`{argument}` must be True or False. Received: {value!r}.")
    return value


PUBLISHED_CHECKS = MAP_CHECKS | {
    "num_groups": MAP_CHECKS["num_blocks"],
    "num_channels": MAP_CHECKS["num_blocks"],
    "has_norm": check_flag,
    "has_attention": check_flag,
    "has_quant_conv": check_flag,
}
TINY_CHECKS = PUBLISHED_CHECKS | {"num_blocks": check_counts}


def input_picture(shape: tuple[int | None, ...], num_halvings: int) -> Tensor:
    """Returns the input of an encoder, x (B, H, W, C).

    Raises:
        ValueError: If a known height or width cannot be halved that often.
    """
    _check_divides("input_shape", shape, num_halvings)
    return keras.Input(shape, name="x")


def input_map(output_shape: tuple[int | None, ...], latent_dim: int, num_doublings: int) -> Tensor:
    """Returns the input of a decoder, z (B, H / 2^n, W / 2^n, latent_dim).

    Raises:
        ValueError: If a known height or width cannot be reached by that many doublings.
    """
    _check_divides("output_shape", output_shape, num_doublings)
    size = (None if n is None else n // 2**num_doublings for n in output_shape[:2])
    return keras.Input((*size, latent_dim), name="z")


def output_picture(x: Tensor, output_shape: tuple[int | None, ...], num_parameters: int) -> Tensor:
    """Returns the output of a decoder, (B, H, W, C * num_parameters), float32."""
    channels = (output_shape[-1] or 1) * num_parameters  # it is always known
    conv = Conv(channels, 3, use_bias=False, dtype="float32", name="conv_out")
    return with_output_bias(conv(x))


def doubled(x: Tensor, name: str) -> Tensor:
    """Returns a map of twice the height and width, with every vector repeated four times."""
    return keras.layers.UpSampling2D(2, data_format="channels_last", name=name)(x)


def residual_block(x: Tensor, filters: int, num_groups: int, name: str) -> Tensor:
    """Returns `x + conv(silu(norm(conv(silu(norm(x))))))`, with x projected if `filters` differ."""
    y = normalized(x, num_groups, f"{name}_norm_in")
    y = Conv(filters, 3, name=f"{name}_conv_in")(keras.activations.silu(y))
    y = normalized(y, num_groups, f"{name}_norm_out")
    y = Conv(filters, 3, name=f"{name}_conv_out")(keras.activations.silu(y))
    if x.shape[-1] != filters:
        x = Conv(filters, 1, name=f"{name}_shortcut")(x)
    return x + y


def middle(x: Tensor, num_groups: int, has_attention: bool) -> Tensor:
    """Applies the blocks at the size of the latent map: residual, attention, residual."""
    x = residual_block(x, x.shape[-1], num_groups, "mid_first")
    if has_attention:
        x = MapAttention(num_groups, name="mid_attention")(x)
    return residual_block(x, x.shape[-1], num_groups, "mid_last")


def encoded(
    x: Tensor, filters: Shape, num_blocks: int, num_groups: int, has_attention: bool
) -> Tensor:
    """Applies the trunk of the encoders of latent diffusion: (B, H, W, C) to the last hidden map.

    Args:
        x: Tensor.
        filters: Tuple of ints, the channels of the stages; all but the last halve the map.
        num_blocks: Int, the residual blocks of a stage.
        num_groups: Int, the groups of the normalizations.
        has_attention: Bool, whether there is attention in the middle.
    """
    x = Conv(filters[0], 3, name="conv_in")(x)
    for stage, channels in enumerate(filters, start=1):
        for block in range(1, num_blocks + 1):
            x = residual_block(x, channels, num_groups, f"stage_{stage}_block_{block}")
        if stage < len(filters):
            # For even sizes "same" pads one row below and one column on the right, as published.
            x = Conv(channels, 3, strides=2, name=f"stage_{stage}_halving")(x)
    x = middle(x, num_groups, has_attention)
    return keras.activations.silu(normalized(x, num_groups, "norm_out"))


def decoded(
    x: Tensor, filters: Shape, num_blocks: int, num_groups: int, has_attention: bool
) -> Tensor:
    """Applies the trunk of the decoders of latent diffusion to a latent map x; see `encoded`."""
    x = middle(Conv(filters[0], 3, name="conv_in")(x), num_groups, has_attention)
    for stage, channels in enumerate(filters, start=1):
        for block in range(1, num_blocks + 1):
            x = residual_block(x, channels, num_groups, f"stage_{stage}_block_{block}")
        if stage < len(filters):
            x = doubled(x, f"stage_{stage}_repeating")
            x = Conv(channels, 3, name=f"stage_{stage}_doubling")(x)
    return keras.activations.silu(normalized(x, num_groups, "norm_out"))


def normalized(x: Tensor, num_groups: int, name: str) -> Tensor:
    """Returns x, normalised within groups of its channels over all positions.

    Raises:
        ValueError: If `num_groups` does not divide the number of channels.
    """
    if x.shape[-1] % num_groups:
        raise ValueError(
            f"`num_groups` must divide the channels of every stage. Received: num_groups="
            f"{num_groups}, and a stage of {x.shape[-1]} channels."
        )
    return keras.layers.GroupNormalization(num_groups, epsilon=1e-6, name=name)(x)


def soft_clamp(z: Tensor) -> Tensor:
    """Returns 3 tanh(z / 3)."""
    return 3.0 * ops.tanh(z / 3.0)


def _check_divides(argument, shape, num_halvings):
    factor = 2**num_halvings
    if any(n is not None and n % factor for n in shape[:2]):
        raise ValueError(
            f"`{argument}` must have a height and width that are multiples of {factor}. Received: "
            f"{shape}. With (None, None, {shape[-1]}) the model takes pictures of any size, and "
            "pads those that do not divide."
        )
