"""Encodings of the positions of a transformer's tokens."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.typing import Tensor


class Positions(keras.layers.Layer):
    """Base class of layers that encode positions in the tokens, in attention, or in both.

    The call encodes `positions`, integers (N,), in tokens (B, N, F); by default it returns the
    tokens unchanged.
    """

    def for_attention(self) -> "RotaryPositions | None":
        """Returns the `positions` of a `CausalAttention`: `None` if only the tokens encode them."""

    def call(self, tokens: Tensor, positions: Tensor) -> Tensor:
        return tokens

    def compute_output_shape(
        self, tokens_shape: tuple[Any, ...], positions_shape: tuple[Any, ...] | None = None
    ) -> tuple[Any, ...]:
        return tokens_shape

    def get_config(self) -> dict[str, Any]:
        # Keras' automatic config cannot serialize a dtype policy.
        return super().get_config()


@keras.saving.register_keras_serializable(package="keras_vae")
class LearnedPositions(Positions):
    """Adds to each token a learned vector for its position.

    The number of vectors is the number of tokens when the layer is built.

    Args:
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Input shape: tokens (B, N, F), and positions, integers (N,).
    Output shape: (B, N, F).

    Example:

    ```python
    prior = TransformerPrior((7, 7), num_embeddings=128, positions=LearnedPositions())
    ```

    Reference:
        - [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), "Attention is all you need",
          section 3.5
    """

    def build(
        self, tokens_shape: tuple[Any, ...], positions_shape: tuple[Any, ...] | None = None
    ) -> None:
        self.vectors = self.add_weight(
            name="vectors",
            shape=tokens_shape[1:],
            initializer=keras.initializers.RandomNormal(stddev=0.02),
        )

    def call(self, tokens: Tensor, positions: Tensor) -> Tensor:
        return tokens + ops.take(self.vectors, positions, axis=0)


@keras.saving.register_keras_serializable(package="keras_vae")
class RotaryPositions(Positions):
    """Rotates queries and keys by angles proportional to their positions.

    The pair of features (j, j + d/2) at position m is rotated by the angle `m base^(-2j/d)`, so
    that the product of a query and a key depends on their distance only. Tokens stay unchanged.

    Args:
        base: Float, above 1. The slowest pair completes a turn in about 2 pi `base` positions.
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Raises:
        ValueError: If `base` is not a finite number above 1; in `turn`, if the heads have an odd
            size.

    Example:

    ```python
    layer = CausalAttention(num_heads=4, positions=RotaryPositions())
    ```

    Reference:
        - [Su et al., 2021](https://arxiv.org/abs/2104.09864), "RoFormer: Enhanced transformer with
          rotary position embedding", section 3.2, where the pairs are neighbours: the same up to
          the order of learned features
    """

    def __init__(self, base: float = 10000.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(base, int | float) or not 1 < base < np.inf:
            raise ValueError(f"`base` must be a number above 1. Received: {base!r}.")
        self.base = float(base)
        self.built = True

    def for_attention(self) -> "RotaryPositions":
        return self

    def turn(self, heads: Tensor, positions: Tensor) -> Tensor:
        """Returns queries or keys (B, N, H, d), d even, rotated for their positions (N,)."""
        half, odd = divmod(heads.shape[-1], 2)
        if odd:
            raise ValueError(
                f"Rotary positions rotate pairs of features, but heads have {heads.shape[-1]}. "
                "Choose `num_heads` so that the size of a head is even."
            )
        speeds = (self.base ** (-np.arange(half) / half)).astype("float32")
        positions = ops.cast(positions, "float32")
        angles = ops.multiply(positions[:, None, None], speeds)  # (N, 1, d/2)
        cos, sin = (ops.cast(f(angles), heads.dtype) for f in (ops.cos, ops.sin))
        first, second = ops.split(heads, 2, axis=-1)
        return ops.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "base": self.base}
