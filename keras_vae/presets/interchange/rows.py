"""Rows of the tables that map tensors of other libraries to weights of this one."""

from typing import NamedTuple

import numpy as np


class Row(NamedTuple):
    """One tensor.

    Attributes:
        theirs: String, its name in the other library's file.
        ours: String, its name in a preset of this library.
        kind: String, the order of its axes: "kernel" of a convolution, (out, in, h, w) there and
            (h, w, in, out) here; "matrix", (out, in) and (in, out); "bias_map", (C,) and (1, 1, C);
            or "same".
    """

    theirs: str
    ours: str
    kind: str

    def to_ours(self, tensor: np.ndarray) -> np.ndarray:
        """Returns the other library's tensor with its axes in this library's order."""
        if self.kind == "kernel" and tensor.ndim == 4:
            return tensor.transpose(2, 3, 1, 0)
        if self.kind == "matrix" and tensor.ndim == 4 and tensor.shape[2:] == (1, 1):
            tensor = tensor[:, :, 0, 0]  # older files store it as a 1 x 1 convolution
        if self.kind == "matrix" and tensor.ndim == 2:
            return tensor.T
        return tensor[None, None] if self.kind == "bias_map" and tensor.ndim == 1 else tensor

    def to_theirs(self, array: np.ndarray) -> np.ndarray:
        """Returns this library's weight with its axes in the other library's order."""
        if self.kind == "kernel":
            return array.transpose(3, 2, 0, 1)
        if self.kind == "matrix":
            return array.T
        return array[0, 0] if self.kind == "bias_map" else array


def conv(theirs: str, ours: str, has_bias: bool = True) -> list[Row]:
    """Returns the rows of a convolution."""
    kernel = Row(f"{theirs}.weight", f"{ours}/kernel", "kernel")
    return [kernel, Row(f"{theirs}.bias", f"{ours}/bias", "same")][: 1 + has_bias]


def last_conv(theirs: str, part: str) -> list[Row]:
    """Returns the rows of a decoder's last convolution, whose bias is a separate layer here."""
    bias = Row(f"{theirs}.bias", f"{part}/output_bias/bias", "bias_map")
    return [*conv(theirs, f"{part}/conv_out", has_bias=False), bias]


def dense(theirs: str, ours: str) -> list[Row]:
    """Returns the rows of a dense layer."""
    matrix = Row(f"{theirs}.weight", f"{ours}/kernel", "matrix")
    return [matrix, Row(f"{theirs}.bias", f"{ours}/bias", "same")]


def norm(theirs: str, ours: str) -> list[Row]:
    """Returns the rows of a group normalization."""
    gamma = Row(f"{theirs}.weight", f"{ours}/gamma", "same")
    return [gamma, Row(f"{theirs}.bias", f"{ours}/beta", "same")]
