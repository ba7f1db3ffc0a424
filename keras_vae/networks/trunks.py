"""The trunks of networks: the layers between inputs and heads."""

import math
from collections.abc import Callable
from collections.abc import Sequence
from functools import partial
from typing import Any

import keras

from keras_vae.layers.residual import ResidualBlock
from keras_vae.layers.subpixel import SubpixelUpsampling2D
from keras_vae.typing import Shape
from keras_vae.typing import Tensor

# Channels last whatever Keras is configured to, as saved weights depend on it.
Conv = partial(keras.layers.Conv2D, padding="same", data_format="channels_last")


def flatten(x: Tensor, name: str = "flatten") -> Tensor:
    """Flattens (B, ...) to (B, F), channels last whatever Keras is configured to."""
    return keras.layers.Flatten(data_format="channels_last", name=name)(x)


def dense_layers(
    x: Tensor, hidden_units: Sequence[int], activation: str | Callable[[Tensor], Tensor]
) -> Tensor:
    """Applies dense layers in sequence: (B, N) to (B, hidden_units[-1]).

    With the activation "glu" each layer computes two values for each unit, and gates one with the
    other.
    """
    gated = activation in ("glu", keras.activations.glu)
    for i, units in enumerate(hidden_units, start=1):
        if gated:
            x = keras.ops.glu(keras.layers.Dense(2 * units, name=f"dense_{i}")(x))
        else:
            x = keras.layers.Dense(units, activation, name=f"dense_{i}")(x)
    return x


def halved_sizes(height: int | None, width: int | None, times: int) -> list[tuple[Any, Any]]:
    """Returns the sizes of an image halved `times` times, rounded up as by stride 2.

    Example: `halved_sizes(7, 5, 2)` is `[(7, 5), (4, 3), (2, 2)]`. A size of 1 stays 1, and `None`
    (any size) stays `None`.
    """
    sizes = [(height, width)]
    for _ in range(times):
        height, width = (None if n is None else (n + 1) // 2 for n in (height, width))
        sizes.append((height, width))
    return sizes


def smallest_map(output_shape: Shape, filters: Sequence[int]) -> Shape:
    """Returns the shape of the map that a decoder starts from, (h, w, filters[0])."""
    height, width, _ = output_shape
    return (*halved_sizes(height, width, len(filters))[-1], filters[0])


def latent_to_map(z: Tensor, shape: Shape, activation: str | Callable[[Tensor], Tensor]) -> Tensor:
    """Applies a dense layer from (B, D) to a map (B, *shape)."""
    dense = keras.layers.Dense(math.prod(shape), activation, name="dense")
    return keras.layers.Reshape(shape, name="reshape")(dense(z))


def residual_blocks(num_blocks: int, **options: Any) -> Callable[..., Tensor]:
    """Returns a function of a map and its stage that applies `num_blocks` residual blocks.

    Args:
        num_blocks: Int.
        **options: `kernel_size` and `activation`.
    """

    def refine(x, stage):
        for i in range(1, num_blocks + 1):
            x = ResidualBlock(x.shape[-1], name=f"block_{stage}_{i}", **options)(x)
        return x

    return refine


def _unrefined(x, stage):
    return x


def halvings(
    x: Tensor,
    filters: Sequence[int],
    refine: Callable[..., Tensor] = _unrefined,
    **options: Any,
) -> Tensor:
    """Applies the trunk of an encoder: each stage is a convolution of stride 2, then `refine`.

    Args:
        x: Tensor (B, H, W, C).
        filters: Tuple of ints, the channels of the stages.
        refine: Function of the map and its stage, from 1, to a map of the same shape.
        **options: `kernel_size` and `activation`.
    """
    for stage, channels in enumerate(filters, start=1):
        x = Conv(channels, strides=2, name=f"conv_{stage}", **options)(x)
        x = refine(x, stage)
    return x


def doublings(
    x: Tensor,
    filters: Sequence[int],
    output_shape: Shape,
    refine: Callable[..., Tensor] = _unrefined,
    **options: Any,
) -> Tensor:
    """Applies the trunk of a decoder: each stage but the first doubles the map; all then `refine`.

    The last doubling, which computes the output, is left to the head.

    Args:
        x: Tensor (B, h, w, filters[0]), the smallest map.
        filters: Tuple of ints, the channels of the stages.
        output_shape: Tuple of 3 ints, (H, W, C). Each stage has the size that an encoder of such
            images has there.
        refine: Function of the map and its stage, from 1, to a map of the same shape.
        **options: `kernel_size` and `activation`.
    """
    height, width, _ = output_shape
    sizes = halved_sizes(height, width, len(filters))[::-1]
    x = refine(x, 1)
    for i, channels in enumerate(filters[1:], start=1):
        target = None if None in sizes[i] else sizes[i]
        double = SubpixelUpsampling2D(
            channels, target_size=target, name=f"upsampling_{i}", **options
        )
        x = refine(double(x), i + 1)
    return x
