"""The base class of quantizers whose codes may have a dimension of their own."""

from typing import Any

import keras
from keras import ops

from keras_vae.quantizers.quantizer import Quantized
from keras_vae.quantizers.quantizer import Quantizer
from keras_vae.quantizers.quantizer import per_example
from keras_vae.typing import Tensor


class ProjectedQuantizer(Quantizer):
    """Base class of quantizers of z (B, ..., d), where d need not be the D of z_e (B, ..., D).

    If they differ, a dense layer `project_in` maps z_e to z, and another, `project_out`, maps
    the codes to z_q. A subclass sets the attribute `code_dim`, d or `None` for D, and defines
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
        """Returns the codes (B, ..., d) of indices (B, ...); those at indices of -1 are unused."""
        raise NotImplementedError


def _projection(from_dim, to_dim, name):
    if from_dim == to_dim:
        return _Unprojected(dtype="float32", name=name)
    return keras.layers.Dense(to_dim, dtype="float32", name=name)


class _Unprojected(keras.layers.Identity):
    """Returns z itself, without the overhead of Keras' `__call__`."""

    def __call__(self, z: Tensor) -> Tensor:
        return z


def quantized(
    z_q: Tensor, indices: Tensor, commitment: Tensor, codebook: Tensor, mask: Tensor | None
) -> Quantized:
    """Returns `Quantized` of z_q (B, ..., D) and the indices and costs per position, (B, ...)."""
    costs = [per_example(where(mask, cost, 0.0)) for cost in (commitment, codebook)]
    return Quantized(where(mask, z_q, 0.0), where(mask, indices, -1), *costs)


def where(mask: Tensor | None, values: Tensor, otherwise: float) -> Tensor:
    """Returns values, (B, ...) or (B, ..., D), where mask (B, ...) is true; elsewhere `otherwise`.

    A mask of `None` keeps all values."""
    if mask is None:
        return values
    mask = ops.reshape(mask, (*ops.shape(mask), *[1] * (len(values.shape) - len(mask.shape))))
    return ops.where(mask, values, ops.cast(otherwise, values.dtype))
