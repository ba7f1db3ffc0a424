"""Positions in a tensor: the index of the largest value, and reading and writing in loops."""

from typing import Any

import keras
from keras import ops

from keras_vae.typing import Tensor


def first_largest(x: Tensor) -> Tensor:
    """Returns the index of the largest value along the last axis, the first one in a tie.

    On TensorFlow `ops.argmax` reads the bits of floats, which ONNX converters do not support.
    There, the maximum is taken of numbers that fall from K to 1 where a value is the largest, and
    are 0 elsewhere.

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
    """Returns the values of a tensor at one index of an axis, without this axis.

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

    The input tensor must not be used afterwards. If possible it is modified in place, so that a
    position of a loop does not cost a copy of all the others.

    Args:
        tensor: Tensor.
        index: Int or scalar int tensor, at least 0.
        axis: Int, the axis.
        value: Tensor of the same shape, without this axis.
    """
    if keras.config.backend() == "torch" and not value.requires_grad:
        tensor.select(axis, int(index)).copy_(value)
        return tensor
    start: list[Any] = [0] * len(tensor.shape)
    start[axis] = index
    return ops.slice_update(tensor, start, ops.expand_dims(value, axis))
