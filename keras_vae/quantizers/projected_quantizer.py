"""Quantizers whose codes lie in a space of their own dimension."""

from typing import Any

import keras
from keras import ops

from keras_vae.quantizers.quantizer import Quantized
from keras_vae.quantizers.quantizer import Quantizer
from keras_vae.quantizers.quantizer import per_example
from keras_vae.typing import Tensor


class ProjectedQuantizer(Quantizer):
    """Base class of quantizers of z (B, ..., d), where d need not be the D of z_e (B, ..., D).

    Where the two differ, a dense layer `project_in` makes z of z_e, and another, `project_out`,
    z_q of the codes. A subclass has the attribute `code_dim`, d or `None` for D, and defines
    `codes_of`.
    """

    def build(self, input_shape: tuple[Any, ...]) -> None:
        *positions, dim = input_shape
        code_dim = self.code_dim or dim
        self.project_in = _projection(dim, code_dim, "project_in")
        self.project_out = _projection(code_dim, dim, "project_out")
        self.project_in.build((*positions, dim))
        self.project_out.build((*positions, code_dim))

    def embed(self, indices: Tensor) -> Tensor:
        return where(indices >= 0, self.project_out(self.codes_of(indices)), 0.0)

    def codes_of(self, indices: Tensor) -> Tensor:
        """Returns the codes (B, ..., d) of indices (B, ...), and anything at those of -1."""
        raise NotImplementedError


def _projection(from_dim, to_dim, name):
    if from_dim == to_dim:
        return keras.layers.Identity(dtype="float32", name=name)
    return keras.layers.Dense(to_dim, dtype="float32", name=name)


def quantized(
    z_q: Tensor, indices: Tensor, commitment: Tensor, codebook: Tensor, mask: Tensor | None
) -> Quantized:
    """Returns `Quantized` of z_q (B, ..., D) and the indices and costs of positions, (B, ...)."""
    costs = [per_example(where(mask, cost, 0.0)) for cost in (commitment, codebook)]
    return Quantized(where(mask, z_q, 0.0), where(mask, indices, -1), *costs)


def where(mask: Tensor | None, values: Tensor, otherwise: float) -> Tensor:
    """Returns values (B, ...) or (B, ..., D) where mask (B, ...) is true, elsewhere a number;
    without a mask, `None`, all values."""
    if mask is None:
        return values
    mask = ops.reshape(mask, (*ops.shape(mask), *[1] * (len(values.shape) - len(mask.shape))))
    return ops.where(mask, values, ops.cast(otherwise, values.dtype))
