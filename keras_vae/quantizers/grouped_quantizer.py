"""Grouped quantization: each group of channels has its own quantizer."""

from typing import Any

import keras
from keras import ops

from keras_vae.quantizers.composite_quantizer import CompositeQuantizer
from keras_vae.quantizers.composite_quantizer import part_of
from keras_vae.quantizers.quantizer import Quantized
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class GroupedQuantizer(CompositeQuantizer):
    """Splits the channels of z_e into G groups and quantizes each separately.

    G quantizers of K codes give K^G combinations for the price of K codes of the full dimension.
    z_q concatenates the groups; costs are summed over them.

    Args:
        quantizers: List of G `Quantizer`s, at least two, with the same `num_embeddings`.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Input shape: (B, ..., D), D a multiple of G.
    Output: `Quantized`, with indices (B, ..., G).

    Raises:
        ValueError: If `quantizers` is not a list of at least two distinct quantizers with the same
            `num_embeddings`; when built, if D is not a multiple of G.

    Example:

    ```python
    quantizer = GroupedQuantizer([VectorQuantizer(256) for _ in range(2)])
    z_q, indices, commitment, codebook = quantizer(z_e)  # indices (B, 7, 7, 2)
    ```

    Reference:
        - [Baevski et al., 2020](https://arxiv.org/abs/1910.05453), "vq-wav2vec: self-supervised
          learning of discrete speech representations", section 3.3
        - [Yang et al., 2023](https://arxiv.org/abs/2305.02765), "HiFi-Codec: group-residual vector
          quantization for high fidelity audio codec"
    """

    def build(self, input_shape: tuple[Any, ...]) -> None:
        *positions, dim = input_shape
        num_groups = len(self.quantizers)
        if dim % num_groups:
            raise ValueError(
                f"The last axis of z_e must be a multiple of the {num_groups} `quantizers`, one "
                f"per group of channels. Received: shape {tuple(input_shape)}."
            )
        self.build_each((*positions, dim // num_groups))

    def call(
        self,
        z_e: Tensor,
        mask: Tensor | None = None,
        training: bool = False,
        seed: Seed = None,
        share: Tensor | float | None = None,
    ) -> Quantized:
        groups = ops.split(z_e, len(self.quantizers), axis=-1)
        parts = [
            part_of(quantizer, group, share, mask=mask, training=training, seed=seed)
            for quantizer, group in zip(self.quantizers, groups, strict=True)
        ]
        return self.joined(ops.concatenate([part.z_q for part in parts], axis=-1), parts)

    def embed(self, indices: Tensor) -> Tensor:
        return ops.concatenate(self.embed_each(indices), axis=-1)
