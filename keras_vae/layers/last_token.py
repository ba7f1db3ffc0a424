"""The features of a sequence: those at its last token."""

from typing import Any

import keras
from keras import ops

from keras_vae.tokens import token_counts
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class LastToken(keras.layers.Layer):
    """Returns the features at the last token of each sequence, whatever padding follows.

    There a network that reads from left to right has seen the whole sequence and no padding, so it
    needs no mask.

    Args:
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Input: [features (B, T, F), tokens (B, T) int32, where 0 is padding].
    Output shape: (B, F).

    Example:

    ```python
    features = keras.layers.GRU(64, return_sequences=True)(embedded)
    summary = LastToken()([features, tokens])
    ```
    """

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Returns (B, F), given [features (B, T, F), tokens (B, T)]."""
        features, tokens = inputs
        # A row of padding only has no last token: the first position's features are used.
        last = ops.maximum(ops.cast(token_counts(tokens), "int32") - 1, 0)
        return ops.take_along_axis(features, last[:, None, None], axis=1)[:, 0]

    def compute_output_spec(self, inputs: list[Any]) -> keras.KerasTensor:
        """Returns the shape and dtype of the output."""
        features, _ = inputs
        return keras.KerasTensor((features.shape[0], features.shape[-1]), features.dtype)
