"""Positions in a tensor: that of the largest value, and one read or written, as in loops."""

from typing import Any

import keras
from keras import ops

from keras_vae.typing import Tensor


def first_largest(x: Tensor) -> Tensor:
    """Returns the index of the largest value along the last axis, the first where several are.

    On TensorFlow `ops.argmax` looks at the bits of float numbers, and no conversion to ONNX knows
    how. There the largest of numbers is found that fall from K to 1 where a value is the largest,
    and are 0 elsewhere.

    Args:
        x: Tensor (..., K).

    Returns:
        int32 tensor (...); on TensorFlow 0 for values that hold NaN.
    """
    if keras.config.backend() != "tensorflow":
        return ops.argmax(x, axis=-1)
    num_values = x.shape[-1]
    falling = num_values - ops.arange(num_values, dtype="int32")
    is_largest = ops.equal(x, ops.max(x, axis=-1, keepdims=True))
    first = ops.max(ops.where(is_largest, falling, 0), axis=-1)
    return ops.where(first > 0, num_values - first, 0)


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
