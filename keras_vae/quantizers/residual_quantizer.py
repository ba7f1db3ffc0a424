"""Residual quantization: each level quantizes the residual of the previous levels."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_vae.checks import is_number
from keras_vae.quantizers.composite_quantizer import CompositeQuantizer
from keras_vae.quantizers.composite_quantizer import part_of
from keras_vae.quantizers.quantizer import Quantized
from keras_vae.quantizers.quantizer import Quantizer
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class ResidualQuantizer(CompositeQuantizer):
    """Quantizes z_e as a sum of codes, each of the residual of those before it:

        z_q = e_1 + ... + e_Q,   e_l the code of r_l = z_e - sg[e_1 + ... + e_(l-1)]

    Q levels of K codes give K^Q sums for the price of Q K codes. Costs are summed over the levels.
    Residuals carry no gradient of the codes, so each level's commitment reaches z_e. The gradient
    of z_q that reaches z_e is the mean of the levels' gradients: the identity if each of them is.
    Weights that turn codes into z_q, such as a level's projection or sampled codebook, receive the
    gradient of the sum: only the gradient that passes through codes is divided.

    With `dropout`, a fraction of the training examples uses only the first n levels, n uniform from
    1 to Q, so that the first levels alone form a coarser quantizer. Skipped levels have indices of
    -1, which `embed` ignores, cost nothing, and learn nothing.

    Args:
        quantizers: List of Q `Quantizer`s, at least two, with the same `num_embeddings`.
        dropout: Float in [0, 1], the fraction of examples that n is drawn for.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Input shape: (B, ..., D).
    Output: `Quantized`, with indices (B, ..., Q).

    Raises:
        ValueError: If `quantizers` is not a list of at least two distinct quantizers with the same
            `num_embeddings`, or `dropout` is not in [0, 1].

    Example:

    ```python
    quantizer = ResidualQuantizer([VectorQuantizer(256) for _ in range(4)], dropout=0.5)
    z_q, indices, commitment, codebook = quantizer(z_e)  # indices (B, 7, 7, 4)
    coarse = quantizer.embed(ops.where(ops.arange(4) < 2, indices, -1))  # the first two levels
    ```

    Reference:
        - [Zeghidour et al., 2021](https://arxiv.org/abs/2107.03312), "SoundStream: an end-to-end
          neural audio codec", section III-C
        - [Lee et al., 2022](https://arxiv.org/abs/2203.01941), "Autoregressive image generation
          using residual quantization"
    """

    def __init__(
        self, quantizers: Sequence[Quantizer], dropout: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(quantizers, **kwargs)
        if not is_number(dropout) or not 0 <= dropout <= 1:
            raise ValueError(f"`dropout` must lie in [0, 1]. Received: {dropout!r}.")
        self.dropout = float(dropout)

    def build(self, input_shape: tuple[Any, ...]) -> None:
        self.build_each(input_shape)

    def call(
        self,
        z_e: Tensor,
        mask: Tensor | None = None,
        training: bool = False,
        seed: Seed = None,
        share: Tensor | float | None = None,
    ) -> Quantized:
        num_used, masks = self._levels_used(z_e, mask, training, seed)
        share = (1.0 if share is None else share) / num_used
        residual, levels = z_e, []
        for quantizer, used in zip(self.quantizers, masks, strict=True):
            options = {"mask": used, "training": training, "seed": seed}
            levels.append(part_of(quantizer, residual, share, **options))
            residual = residual - ops.stop_gradient(levels[-1].z_q)
        return self.joined(sum(level.z_q for level in levels), levels)

    def embed(self, indices: Tensor) -> Tensor:
        return sum(self.embed_each(indices))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dropout": self.dropout}

    def _levels_used(self, z_e, mask, training, seed):
        """Returns the number of levels of each example, and a list with the mask of each level."""
        num_levels = len(self.quantizers)
        if not (training and self.dropout):
            return num_levels, [mask] * num_levels
        shape = (ops.shape(z_e)[0], *[1] * (len(z_e.shape) - 1))
        uniform = keras.random.uniform(shape, seed=seed) / self.dropout  # above 1: all levels
        num_used = ops.minimum(1 + ops.floor(num_levels * uniform), num_levels)
        mask = ops.ones_like(z_e[..., 0], dtype="bool") if mask is None else mask
        masks = [ops.logical_and(mask, num_used[..., 0] > level) for level in range(num_levels)]
        return num_used, masks
