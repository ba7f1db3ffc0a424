"""One layer of a causal transformer."""

from collections.abc import Callable
from typing import Any
from typing import Self

import keras
from keras import ops

from keras_vae.checks import check_dropout
from keras_vae.layers.causal_attention import CausalAttention
from keras_vae.layers.dropout import dropped
from keras_vae.layers.function_of import function_of
from keras_vae.layers.positions import RotaryPositions
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class TransformerBlock(keras.layers.Layer):
    """Adds to each token the output of attention, then of a two-layer network.

    `x + attention(norm(x))`, then `x + mlp(norm(x))`, the network with 4 F hidden units and a GELU.
    Normalizing before each of the two makes a learning rate warm-up unnecessary. `call` takes all
    positions at once; `start` and `step` compute the same one position at a time.

    Args:
        num_heads: Int, the number of attention heads, a divisor of the number of features.
        dropout: Float in [0, 1), the dropout rate of both outputs in training.
        positions: `RotaryPositions`, or `None` if the inputs already encode their positions.
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Input and output shape: (B, N, F).

    Raises:
        ValueError: If `num_heads` is not a positive int, or `dropout` is not in [0, 1); when built,
            if `num_heads` does not divide F.

    Example:

    ```python
    block = TransformerBlock(num_heads=4, dropout=0.1)
    y = block(x, training=True, seed=noise.stream(training=True))
    ```

    Reference:
        - Radford et al., 2019, "Language models are unsupervised multitask learners", section 2.3
        - [Xiong et al., 2020](https://arxiv.org/abs/2002.04745), "On layer normalization in the
          transformer architecture"
    """

    def __init__(
        self,
        num_heads: int,
        dropout: float = 0.0,
        positions: RotaryPositions | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dropout = check_dropout(dropout)
        dtype = self.dtype_policy
        self.attention = CausalAttention(num_heads, positions, dtype=dtype, name="attention")
        self.norm_1 = keras.layers.LayerNormalization(epsilon=1e-5, dtype=dtype, name="norm_1")
        self.norm_2 = keras.layers.LayerNormalization(epsilon=1e-5, dtype=dtype, name="norm_2")

    def build(self, input_shape: tuple[Any, ...]) -> None:
        features = input_shape[-1]
        dense, dtype = keras.layers.Dense, self.dtype_policy
        self.dense_1 = dense(4 * features, "gelu", dtype=dtype, name="dense_1")
        self.dense_2 = dense(features, dtype=dtype, name="dense_2")
        for layer in (self.attention, self.norm_1, self.norm_2, self.dense_1):
            layer.build(input_shape)
        self.dense_2.build((*input_shape[:-1], 4 * features))

    def call(self, inputs: Tensor, training: bool = False, seed: Seed = None) -> Tensor:
        """Returns the tokens (B, N, F) of the next layer.

        Args:
            inputs: Tensor (B, N, F).
            training: Bool, whether to apply dropout.
            seed: `keras.random.SeedGenerator` for the dropout.
        """
        rate = self.dropout if training else 0.0
        x = inputs + dropped(self.attention(self.norm_1(inputs)), rate, seed)
        return x + dropped(self.dense_2(self.dense_1(self.norm_2(x))), rate, seed)

    def start(self, batch_size: int, length: int) -> tuple[Tensor, Tensor]:
        """Returns the cache of `step`; see `CausalAttention.start`."""
        return self.attention.start(batch_size, length)

    def step(
        self, cache: tuple[Tensor, Tensor], x: Tensor, position: int | Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Returns the output at one position, (B, F), and the cache for the next.

        See `CausalAttention.step`."""
        return self.stepper()(cache, x, position)

    def stepper(self) -> Callable:
        """Returns `step` as a function with the weights already read, for loops over positions."""
        attend, layers = self.attention.stepper(), (self.norm_1, self.norm_2)
        norm_1, norm_2 = map(function_of, layers)
        dense_1, dense_2 = map(function_of, (self.dense_1, self.dense_2))

        def step(cache, x, position):
            x = ops.cast(x, self.compute_dtype)  # Keras casts inputs of `call` only
            seen, cache = attend(cache, norm_1(x), position)
            x = x + seen
            return x + dense_2(dense_1(norm_2(x))), cache

        return step

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.attention.num_heads,
            "dropout": self.dropout,
            "positions": keras.saving.serialize_keras_object(self.attention.positions),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**keras.saving.deserialize_keras_object(config))
