"""Vector quantization with a fixed codebook that one linear layer transforms as a whole."""

from typing import Any

import keras
from keras import ops

from keras_vae.quantizers.codebook_quantizer import CodebookQuantizer
from keras_vae.quantizers.projected_quantizer import where
from keras_vae.quantizers.quantizer import Quantized
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class SimVQ(CodebookQuantizer):
    """Assigns each z to the nearest of the codes C W + b: C random and fixed, W and b learned.

    The gradient of any one code is a gradient of W, which moves all of them: none is left behind,
    however many there are. `commitment` is |z - sg[e]|^2 and `codebook` |sg[z] - e|^2, as in
    `VectorQuantizer`; W and b learn from the latter.

    Args:
        num_embeddings: Int, K, at least 2.
        code_dim: Int, d, the dimension of the codes. Defaults to the D of z_e.
        gradient: `GradientEstimator`, such as `RotationTrick()`. Defaults to `StraightThrough()`.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Input shape: (B, ..., D).
    Output: `Quantized`, with indices (B, ...).

    Raises:
        ValueError: If `num_embeddings` is below 2, `code_dim` is not a positive int, or `gradient`
            is not a `GradientEstimator`; when built, if the input has no axis of positions.

    Example:

    ```python
    quantizer = SimVQ(8192)
    z_q, indices, commitment, codebook = quantizer(z_e)
    ```

    Reference:
        - [Zhu et al., 2024](https://arxiv.org/abs/2411.02038), "Addressing representation collapse
          in vector quantized models with one linear layer"
    """

    def build(self, input_shape: tuple[Any, ...]) -> None:
        super().build(input_shape)
        dim = self.code_dim or input_shape[-1]
        self.fixed_codes = self.add_weight(
            name="fixed_codes",
            shape=(self.num_embeddings, dim),
            initializer=keras.initializers.RandomNormal(stddev=dim**-0.5),
            trainable=False,
        )
        self.linear = keras.layers.Dense(dim, dtype="float32", name="linear")
        self.linear.build(self.fixed_codes.shape)

    def call(
        self,
        z_e: Tensor,
        mask: Tensor | None = None,
        training: bool = False,
        seed: Seed = None,
        share: Tensor | float | None = None,
    ) -> Quantized:
        z = self.project_in(where(mask, z_e, 0.0))
        return self.nearest(z, self.codes(), mask, share)

    def codes(self) -> Tensor:
        return self.linear(ops.convert_to_tensor(self.fixed_codes))
