"""Attention from each position to itself and to the positions before it."""

from collections.abc import Callable
from typing import Any
from typing import Self

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.indexing import with_at
from keras_vae.layers.function_of import function_of
from keras_vae.layers.positions import RotaryPositions
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class CausalAttention(keras.layers.Layer):
    """Multi-head self-attention in which position i sees positions 0 to i.

    Each head computes `softmax(Q K^T / sqrt(d)) V` (equation 1); the heads are concatenated and
    mixed by one more matrix. `call` takes all positions at once; `start` and `step` compute the
    same one position at a time, from cached keys and values.

    Args:
        num_heads: Int, H, a divisor of the number of features.
        positions: `RotaryPositions`, or `None` if the inputs already encode their positions.
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Input and output shape: (B, N, F).

    Raises:
        ValueError: If `num_heads` is not a positive int; when built, if it does not divide F.

    Example:

    ```python
    layer = CausalAttention(num_heads=4)
    y = layer(x)  # (B, N, F)
    cache = layer.start(batch_size, length=N)
    for i in range(N):
        y_i, cache = layer.step(cache, x[:, i], i)  # y[:, i]
    ```

    Reference:
        - [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), "Attention is all you need",
          section 3.2
    """

    def __init__(
        self, num_heads: int, positions: RotaryPositions | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = check_count("num_heads", num_heads)
        self.positions = positions

    def build(self, input_shape: tuple[Any, ...]) -> None:
        features = input_shape[-1]
        self.head_size, rest = divmod(features, self.num_heads)
        if rest:
            raise ValueError(
                f"`num_heads` must divide the {features} features of the input. Received: "
                f"{self.num_heads}."
            )
        self.projections = self._dense(3 * features, "projections")
        self.mixing = self._dense(features, "mixing")
        for dense in (self.projections, self.mixing):
            dense.build(input_shape)

    def _dense(self, features, name):
        return keras.layers.Dense(features, use_bias=False, dtype=self.dtype_policy, name=name)

    def call(self, inputs: Tensor) -> Tensor:
        heads = self._heads(self.projections(inputs), ops.arange(ops.shape(inputs)[1]))
        if self.compute_dtype == "float16":  # JAX has no float16 attention on CPUs
            heads = [ops.cast(h, "float32") for h in heads]
        return self.mixing(_joined(ops.dot_product_attention(*heads, is_causal=True)))

    def start(self, batch_size: int, length: int) -> tuple[Tensor, Tensor]:
        """Returns the cache of `step` before the first of `length` positions, keys and values of 0.

        Args:
            batch_size: Int, B.
            length: Int, N.
        """
        shape = (batch_size, self.num_heads, length, self.head_size)
        return ops.zeros(shape, self.compute_dtype), ops.zeros(shape, self.compute_dtype)

    def step(
        self, cache: tuple[Tensor, Tensor], x: Tensor, position: int | Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Returns the output at one position, (B, F), and the cache for the next.

        Args:
            cache: The cache returned by `start` or by the previous step. It must not be used again.
            x: Tensor (B, F), the input at this position.
            position: Int or scalar int tensor, i.
        """
        return self.stepper()(cache, x, position)

    def stepper(self) -> Callable:
        """Returns `step` as a function with the weights already read, for loops over positions."""
        projected, mixed = function_of(self.projections), function_of(self.mixing)

        def step(cache, x, position):
            # Heads before positions, (B, H, N, d), so that the cache is never transposed.
            heads = self._heads(projected(x)[:, None], ops.reshape(position, (1,)))
            query, key, value = (h[:, 0] for h in heads)  # (B, H, d)
            keys, values = (
                with_at(known, position, 2, new)
                for known, new in zip(cache, (key, value), strict=True)
            )
            query = query[:, :, None] / self.head_size**0.5
            logits = ops.matmul(query, ops.swapaxes(keys, 2, 3))
            is_known = ops.arange(keys.shape[2]) <= position
            logits = ops.where(is_known, ops.cast(logits, "float32"), -np.inf)
            weights = ops.cast(ops.softmax(logits, axis=-1), values.dtype)
            seen = ops.swapaxes(ops.matmul(weights, values), 1, 2)  # (B, 1, H, d)
            return mixed(_joined(seen)[:, 0]), (keys, values)

        return step

    def _heads(self, projected, positions):
        """Returns queries, keys and values, each (B, N, H, d), from projections (B, N, 3 F) at
        positions (N,)."""
        shape = (-1, ops.shape(projected)[1], 3 * self.num_heads, self.head_size)
        heads = ops.reshape(projected, shape)
        turned, values = ops.split(heads, [2 * self.num_heads], axis=2)
        if self.positions is not None:
            turned = self.positions.turn(turned, positions)
        return *ops.split(turned, 2, axis=2), values

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "positions": keras.saving.serialize_keras_object(self.positions),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**keras.saving.deserialize_keras_object(config))


def _joined(heads):
    """Returns heads (B, N, H, d) side by side, (B, N, H d)."""
    return ops.reshape(heads, (-1, ops.shape(heads)[1], heads.shape[2] * heads.shape[3]))
