"""One position of a tensor, read or written, in loops that go from one to the next."""

from typing import Any

import keras
from keras import ops

from keras_vae.typing import Tensor


def at(tensor: Tensor, index: int | Tensor, axis: int) -> Tensor:
    """Returns what a tensor holds at one index of an axis, without this axis.

    Args:
        tensor: Tensor.
        index: Int or scalar int tensor, at least 0.
        axis: Int, the axis.
    """
    if keras.config.backend() == "torch":
        return tensor.select(axis, int(index))
    return ops.take(tensor, index, axis=axis)


def with_at(tensor: Tensor, index: int | Tensor, axis: int, value: Tensor) -> Tensor:
    """Returns a tensor that holds `value` at one index of an axis.

    The tensor that is given must not be used any more. Where that is possible it is written to, so
    that a position of a loop costs what it holds, and not a copy of all others.

    Args:
        tensor: Tensor.
        index: Int or scalar int tensor, at least 0.
        axis: Int, the axis.
        value: Tensor of the same shape, but for this axis.
    """
    if keras.config.backend() == "torch" and not value.requires_grad:
        tensor.select(axis, int(index)).copy_(value)
        return tensor
    start: list[Any] = [0] * len(tensor.shape)
    start[axis] = index
    return ops.slice_update(tensor, start, ops.expand_dims(value, axis))
