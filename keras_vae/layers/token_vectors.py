"""Token embeddings shared between input and output."""

from typing import Any

import keras
from keras import ops

from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class TokenVectors(keras.layers.Layer):
    """Maps tokens to their embeddings, and features to logits with the same embeddings.

    `layer(tokens)` returns the embeddings e_k of tokens (B, T), and `layer(features, reverse=True)`
    the logits h . e_k + b_k, float32 under every policy.

    Args:
        num_tokens: Int, K.
        size: Int, F, the size of an embedding.
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Input shape: (B, T) integers, or with `reverse=True` (B, T, F).
    Output shape: (B, T, F), or (B, T, K).

    Reference:
        - [Press and Wolf, 2017](https://arxiv.org/abs/1608.05859), "Using the output embedding to
          improve language models"
    """

    def __init__(self, num_tokens: int, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_tokens, self.size = num_tokens, size
        self.vectors = self.add_weight(
            name="vectors",
            shape=(num_tokens, size),
            initializer=keras.initializers.RandomUniform(-0.05, 0.05),
        )
        self.bias = self.add_weight(
            name="bias", shape=(num_tokens,), initializer="zeros", dtype="float32"
        )
        self.built = True

    def call(self, inputs: Tensor, reverse: bool = False) -> Tensor:
        vectors = ops.convert_to_tensor(self.vectors)
        if not reverse:
            return ops.take(vectors, ops.cast(inputs, "int32"), axis=0)
        logits = ops.matmul(inputs, ops.transpose(vectors))
        return ops.cast(logits, "float32") + ops.cast(self.bias, "float32")

    def compute_output_spec(self, inputs: Any, reverse: bool = False) -> keras.KerasTensor:
        """Returns the shape and dtype of the output."""
        if reverse:
            return keras.KerasTensor((*inputs.shape[:-1], self.num_tokens), "float32")
        return keras.KerasTensor((*inputs.shape, self.size), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_tokens": self.num_tokens, "size": self.size}
