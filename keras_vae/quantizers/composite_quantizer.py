"""The base class of quantizers made of several others, whose indices are concatenated."""

import inspect
from collections.abc import Sequence
from typing import Any
from typing import Self

import keras
from keras import ops

from keras_vae.gradients import passing
from keras_vae.quantizers.quantizer import Quantized
from keras_vae.quantizers.quantizer import Quantizer
from keras_vae.typing import Tensor


class CompositeQuantizer(Quantizer):
    """Base class of quantizers made of several others, each of which contributes its indices.

    A subclass defines how z_e is distributed to them and how z_q is assembled.

    Args:
        quantizers: List of at least two `Quantizer`s with the same `num_embeddings`.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Raises:
        ValueError: If `quantizers` is not a list of at least two quantizers, contains one of them
            twice, or mixes different `num_embeddings`.
    """

    def __init__(self, quantizers: Sequence[Quantizer], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.quantizers = _check_quantizers(quantizers)

    @property
    def num_embeddings(self) -> int:
        return self.quantizers[0].num_embeddings

    @property
    def num_codebooks(self) -> int:
        return sum(quantizer.num_codebooks for quantizer in self.quantizers)

    def serve(self, model: keras.Model) -> None:
        super().serve(model)
        for quantizer in self.quantizers:
            quantizer.serve(model)

    def build_each(self, input_shape: tuple[Any, ...]) -> None:
        """Builds the quantizers for inputs of this shape."""
        for quantizer in self.quantizers:
            if not quantizer.built:  # a quantizer read from a file is built already
                quantizer.build(input_shape)

    def joined(self, z_q: Tensor, parts: list[Quantized]) -> Quantized:
        """Returns `Quantized` of z_q, with the indices of `parts` joined and their costs summed."""
        indices = [
            part.indices if quantizer.num_codebooks > 1 else ops.expand_dims(part.indices, -1)
            for quantizer, part in zip(self.quantizers, parts, strict=True)
        ]
        return Quantized(
            z_q,
            ops.concatenate(indices, axis=-1),
            sum(part.commitment for part in parts),
            sum(part.codebook for part in parts),
        )

    def embed_each(self, indices: Tensor) -> list[Tensor]:
        """Returns each quantizer's embedding of its share of the indices (B, ..., Q), as a list."""
        codes, start = [], 0
        for quantizer in self.quantizers:
            end = start + quantizer.num_codebooks
            own = indices[..., start] if end == start + 1 else indices[..., start:end]
            codes.append(quantizer.embed(own))
            start = end
        return codes

    def get_config(self) -> dict[str, Any]:
        quantizers = [keras.saving.serialize_keras_object(q) for q in self.quantizers]
        return {**super().get_config(), "quantizers": quantizers}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**keras.saving.deserialize_keras_object(config))


def part_of(
    quantizer: Quantizer, z_e: Tensor, share: Tensor | float | None, **options: Any
) -> Quantized:
    """Returns z_e as `Quantized`, with a z_q that passes only a share of its gradient to z_e.

    Args:
        quantizer: `Quantizer`. If it takes no `share`, the gradient to its weights is scaled too.
        z_e: (B, ..., D).
        share: Number, tensor (B, 1, ..., 1), or `None` for all.
        **options: `mask`, `training` and `seed`.
    """
    if share is None:
        return quantizer(z_e, **options)
    if "share" in inspect.signature(quantizer.call).parameters:
        return quantizer(z_e, share=share, **options)
    found = quantizer(z_e, **options)
    return found._replace(z_q=passing(found.z_q, share))


def _check_quantizers(quantizers):
    is_list = isinstance(quantizers, list | tuple) and len(quantizers) > 1
    if not is_list or not all(isinstance(q, Quantizer) for q in quantizers):
        raise ValueError(
            "`quantizers` must be a list of at least two quantizers, such as "
            f"[VectorQuantizer(512) for _ in range(4)]. Received: {quantizers!r}."
        )
    if len({id(quantizer) for quantizer in quantizers}) < len(quantizers):
        raise ValueError(
            "`quantizers` must be distinct objects, as each learns its own codebook. Received: the "
            "same object twice. Write [make() for _ in range(n)], not [one] * n."
        )
    sizes = [quantizer.num_embeddings for quantizer in quantizers]
    if len(set(sizes)) > 1:
        raise ValueError(
            "`quantizers` must all have the same `num_embeddings`, so that their indices fit into "
            f"one tensor of codes. Received: {sizes}."
        )
    return list(quantizers)
