"""Self-attention between all positions of a map."""

from typing import Any

import keras
from keras import ops

from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class MapAttention(keras.layers.Layer):
    """Adds the output of single-head attention over all positions to each position of a map.

    `x + output(softmax(q k' / sqrt(F)) v)`, where q, k and v are linear in the group-normalised x.
    The h w x h w weights make it expensive on large maps. The softmax is computed in float32 under
    every policy.

    Args:
        num_groups: Int, the groups of the normalization, a divisor of the number of channels F.
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Input and output shape: (B, h, w, F), channels last, h and w of any size.

    Example:

    ```python
    x = keras.random.normal((2, 8, 8, 64))
    y = MapAttention(num_groups=32)(x)  # (2, 8, 8, 64)
    ```

    Reference:
        - [Esser et al., 2021](https://arxiv.org/abs/2012.09841), "Taming transformers for
          high-resolution image synthesis"
    """

    def __init__(self, num_groups: int = 32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_groups = num_groups

    def build(self, input_shape: tuple[Any, ...]) -> None:
        features, dtype = input_shape[-1], self.dtype_policy
        self.norm = keras.layers.GroupNormalization(
            self.num_groups, epsilon=1e-6, dtype=dtype, name="norm"
        )
        self.norm.build(input_shape)
        names = ("query", "key", "value", "output")
        self.projections = [keras.layers.Dense(features, dtype=dtype, name=n) for n in names]
        for dense in self.projections:
            dense.build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        shape = ops.shape(inputs)
        rows = ops.reshape(self.norm(inputs), (shape[0], -1, shape[-1]))  # (B, h w, F)
        query, key, value = (dense(rows) for dense in self.projections[:3])
        products = ops.matmul(query * shape[-1] ** -0.5, ops.transpose(key, (0, 2, 1)))
        weights = ops.softmax(ops.cast(products, "float32"), axis=-1)
        gathered = ops.matmul(ops.cast(weights, value.dtype), value)
        return inputs + ops.reshape(self.projections[3](gathered), shape)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_groups": self.num_groups}
