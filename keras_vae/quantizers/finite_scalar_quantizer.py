"""Finite scalar quantization: every channel is rounded to one of a few levels."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.gradients import passing
from keras_vae.gradients import straight_through
from keras_vae.quantizers.projected_quantizer import ProjectedQuantizer
from keras_vae.quantizers.projected_quantizer import quantized
from keras_vae.quantizers.projected_quantizer import where
from keras_vae.quantizers.quantizer import Quantized
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class FiniteScalarQuantizer(ProjectedQuantizer):
    """Rounds each of d channels to one of its L_i levels: a codebook with nothing to learn.

        z_q = round(f(z)) / floor(L / 2),   f(z) = tanh(z + s) (L - 1) / 2 - o

    with an offset o, 0 for odd L and 1/2 for even L, and a shift s that keeps z = 0 near 0 (the
    paper's appendix A.1). Rounding uses the straight-through estimator: the gradient is that of f.
    Codes lie in [-1, 1], all `num_embeddings = L_1 L_2 ... L_d` of them are reachable, and both
    costs are 0.

    The index of a code counts in mixed radix, the first channel fastest. If d differs from D, one
    dense layer projects z_e to d channels and another projects the codes back to D.

    Args:
        levels: Tuple of d ints, L, each at least 2. The paper recommends at least 5: (8, 5, 5, 5)
            for 1,000 codes, (8, 8, 8, 5, 5, 5) for 64,000.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Input shape: (B, ..., D).
    Output: `Quantized`, with indices (B, ...).

    Raises:
        ValueError: If `levels` is not a tuple or list of ints of at least 2, or makes 2^31 codes or
            more.

    Example:

    ```python
    quantizer = FiniteScalarQuantizer((8, 5, 5, 5))
    z_q, indices, _, _ = quantizer(z_e)  # (B, 7, 7, 64) -> (B, 7, 7, 64), (B, 7, 7)
    ```

    Reference:
        - [Mentzer et al., 2023](https://arxiv.org/abs/2309.15505), "Finite scalar quantization:
          VQ-VAE made simple"
    """

    def __init__(self, levels: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.levels = _check_levels(levels)
        self.code_dim = len(self.levels)

    @property
    def num_embeddings(self) -> int:
        return math.prod(self.levels)

    def call(
        self,
        z_e: Tensor,
        mask: Tensor | None = None,
        training: bool = False,
        seed: Seed = None,
        share: Tensor | float | None = None,
    ) -> Quantized:
        bounded = self._bounded(self.project_in(where(mask, z_e, 0.0)))
        indices = indices_of(ops.round(bounded) + self._centres, self.levels)
        z_q = straight_through(self.codes_of(indices), passing(bounded, share) / self._centres)
        no_cost = ops.zeros_like(bounded[..., 0])
        return quantized(self.project_out(z_q), indices, no_cost, no_cost, mask)

    def codes_of(self, indices: Tensor) -> Tensor:
        return (digits_of(indices, self.levels) - self._centres) / self._centres

    @property
    def _centres(self):
        return ops.convert_to_tensor([float(n // 2) for n in self.levels])

    def _bounded(self, z):
        levels = np.array(self.levels)
        half_width = (levels - 1) * (1 - 1e-3) / 2  # keeps f just inside the outermost codes
        offset = np.where(levels % 2, 0.0, 0.5)
        # tan, as in the authors' code: for L = 2 the arctanh of the paper does not exist.
        constants = half_width, offset, np.tan(offset / half_width)
        half_width, offset, shift = (ops.convert_to_tensor(c, "float32") for c in constants)
        return ops.tanh(z + shift) * half_width - offset

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "levels": self.levels}


def _check_levels(levels):
    if not isinstance(levels, list | tuple) or not levels:
        raise ValueError(
            "`levels` must list the number of levels of each channel, such as (8, 5, 5, 5). "
            f"Received: {levels!r}."
        )
    levels = tuple(check_count(f"levels[{i}]", n, least=2) for i, n in enumerate(levels))
    if math.prod(levels) >= 2**31:
        raise ValueError(
            f"`levels` must make fewer than 2^31 codes, as indices are int32. Received: {levels}, "
            f"which makes {math.prod(levels)} codes. Use a GroupedQuantizer."
        )
    return levels


def indices_of(digits: Tensor, levels: Sequence[int]) -> Tensor:
    """Returns the indices (...) of digits (..., d), each below its number of levels."""
    return ops.sum(ops.cast(digits, "int32") * _strides(levels), axis=-1)


def digits_of(indices: Tensor, levels: Sequence[int]) -> Tensor:
    """Returns the digits (..., d) of indices (...), float32: the inverse of `indices_of`."""
    counted = ops.floor_divide(ops.expand_dims(indices, -1), _strides(levels))
    return ops.cast(ops.mod(counted, ops.convert_to_tensor(levels, "int32")), "float32")


def _strides(levels):
    return ops.convert_to_tensor(np.cumprod([1, *levels[:-1]]), "int32")
