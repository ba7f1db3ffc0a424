"""The base class of quantizers that search for the nearest code."""

from typing import Any
from typing import Self

import keras
from keras import ops

from keras_vae.checks import check_count
from keras_vae.configured import check_configured
from keras_vae.gradients import passing
from keras_vae.quantizers.gradient_estimators import GradientEstimator
from keras_vae.quantizers.gradient_estimators import StraightThrough
from keras_vae.quantizers.nearest_codes import nearest_codes
from keras_vae.quantizers.projected_quantizer import ProjectedQuantizer
from keras_vae.quantizers.projected_quantizer import quantized
from keras_vae.quantizers.quantizer import Quantized
from keras_vae.quantizers.quantizer import rows_of
from keras_vae.typing import Tensor


class CodebookQuantizer(ProjectedQuantizer):
    """Base class of quantizers that assign each z to the nearest of K codes e:

        index = argmin_k |z - e_k|,   z_q = e_index

    `commitment` is |z - sg[e]|^2, whose gradient moves z, and `codebook` |sg[z] - e|^2, whose
    gradient moves the codes. A subclass defines `codes`.

    Args:
        num_embeddings: Int, K, at least 2.
        code_dim: Int, d, the dimension of the codes. Defaults to the D of z_e.
        gradient: `GradientEstimator`. Defaults to `StraightThrough()`.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Raises:
        ValueError: If `num_embeddings` is below 2, `code_dim` is not a positive int, or `gradient`
            is not a `GradientEstimator`; when built, if the input has no axis of positions.
    """

    def __init__(
        self,
        num_embeddings: int,
        code_dim: int | None = None,
        gradient: GradientEstimator | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._num_embeddings = check_count("num_embeddings", num_embeddings, least=2)
        self.code_dim = None if code_dim is None else check_count("code_dim", code_dim)
        self.gradient = check_configured("gradient", gradient, GradientEstimator, StraightThrough)

    @property
    def num_embeddings(self) -> int:
        return self._num_embeddings

    def build(self, input_shape: tuple[Any, ...]) -> None:
        if len(input_shape) < 3 or input_shape[-1] is None:
            raise ValueError(
                f"{type(self).__name__} quantizes z_e of shape (B, ..., D), with at least one axis "
                f"of positions and a known D. Received: {tuple(input_shape)}. Reshape one vector "
                "per example, (B, D), to N positions, (B, N, D / N)."
            )
        super().build(input_shape)

    def codes(self) -> Tensor:
        """Returns the codes (K, d), float32."""
        raise NotImplementedError(f"{type(self).__name__} must define `codes`.")

    def nearest(
        self,
        z: Tensor,
        codes: Tensor,
        mask: Tensor | None,
        share: Tensor | float | None = None,
    ) -> Quantized:
        """Returns z (B, ..., d) as `Quantized`, by the nearest of codes (K, d); for `share` see
        `Quantizer.call`."""
        indices = ops.reshape(self.search(rows_of(z), codes), ops.shape(z)[:-1])
        found = ops.take(codes, indices, axis=0)
        commitment = _squared_distance(z, ops.stop_gradient(found))
        if getattr(found, "requires_grad", True):
            codebook = _squared_distance(ops.stop_gradient(z), found)
        else:  # the same values, which need no gradient on PyTorch
            codebook = ops.stop_gradient(commitment)
        z_q = self.project_out(self.gradient(passing(z, share), found))
        return quantized(z_q, indices, commitment, codebook, mask)

    def search(self, rows: Tensor, codes: Tensor) -> Tensor:
        """Returns the index, int32 (N,), of the code (K, d) chosen for each of rows (N, d)."""
        return nearest_codes(rows, codes)

    def codes_of(self, indices: Tensor) -> Tensor:
        return ops.take(self.codes(), indices, axis=0)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_embeddings": self.num_embeddings,
            "code_dim": self.code_dim,
            "gradient": keras.saving.serialize_keras_object(self.gradient),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**keras.saving.deserialize_keras_object(config))


def _squared_distance(a, b):
    difference = a - b
    return ops.sum(difference * difference, axis=-1)
