"""Pictures of any height and width for networks that halve them: reflection padding, cropping."""

from typing import Any

import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.typing import Tensor

PROBE = 64  # height and width of the picture whose latents show how often a network halves


def is_of_any_size(shape: Any) -> bool:
    """Whether a shape, without the batch axis, is that of a picture or map of any size."""
    return shape is not None and len(shape) >= 2 and tuple(shape[:2]) == (None, None)


def at_probe(shape: tuple) -> tuple:
    """Returns a shape with height and width of `PROBE` where they are unknown."""
    return tuple(PROBE if n is None else n for n in shape)


def with_unknown_size(shape: tuple) -> tuple:
    """Returns the shape of a map (h, w, ...) as (None, None, ...)."""
    return (None, None, *shape[2:])


def padded_by_reflection(x: Tensor, stride: int) -> Tensor:
    """Returns x (B, H, W, C), padded at the bottom and on the right to multiples of `stride`.

    The last row and column are not repeated, so that a network sees no edge. Pictures smaller than
    the padding are reflected repeatedly.
    """
    for axis in (1, 2):
        size = ops.shape(x)[axis]
        if isinstance(size, int) and size % stride == 0:
            continue
        x = ops.take(x, _mirrored(size, -(-size // stride) * stride), axis=axis)
    return x


def _mirrored(size, target):
    """Returns `target` indices of 0 ... size - 1 ... 0 ..."""
    is_known = isinstance(size, int)
    period = max(2 * size - 2, 1) if is_known else ops.maximum(2 * size - 2, 1)
    indices = (np.arange(target, dtype="int32") if is_known else ops.arange(target)) % period
    where = np.where if is_known else ops.where
    return where(indices < size, indices, period - indices)


def cropped(y: Tensor, like: Tensor) -> Tensor:
    """Returns y (B, H', W', C) with the height and width of `like` (B', H, W, C')."""
    height, width = ops.shape(like)[1:3]
    return y[:, :height, :width]


def stride_of(latent_shape: tuple) -> int | None:
    """Returns the factor by which a network divides height and width, given the latents' shape for
    a picture of `PROBE` pixels; `None` if there is no single whole factor."""
    height, width = (*latent_shape, None, None)[:2]
    if not height or height != width or PROBE % height:
        return None
    return PROBE // height


def check_size(model: Any, size: Any) -> tuple[int, int] | None:
    """Returns (height, width) of the pictures that a model of pictures of any size should draw.

    Raises:
        ValueError: If `size` is not two positive integers, or the model's own size is fixed.
    """
    if not model.is_of_any_size:
        if size is None:
            return None
        raise ValueError(
            f"`size` is for models of pictures of any size. Received: size={size!r}, and this "
            f"{type(model).__name__} has pictures of shape {model.data_shape}. Leave it out."
        )
    if not isinstance(size, list | tuple) or len(size) != 2:
        raise ValueError(
            f"`size` must be the (height, width) of the pictures: this {type(model).__name__} has "
            f"pictures of any size. Received: size={size!r}. Write `size=(64, 64)`, for example."
        )
    return check_count("size[0]", size[0]), check_count("size[1]", size[1])
