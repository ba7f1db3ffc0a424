"""A vector repeated at every pixel of a map."""

from typing import Any

import keras
from keras import ops

from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class Everywhere(keras.layers.Layer):
    """Repeats a vector at every position of a map, whose height and width need not be known.

    Args:
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Input shape: [x, c], with x (B, H, W, C) and c (B, M).
    Output shape: (B, H, W, M).

    Example:

    ```python
    channels = Everywhere()([x, labels])  # (8, 28, 20, 3) and (8, 10) to (8, 28, 20, 10)
    ```
    """

    def call(self, inputs: list[Tensor]) -> Tensor:
        x, vector = inputs
        height, width = ops.shape(x)[1:3]
        shape = (ops.shape(vector)[0], height, width, vector.shape[-1])
        return ops.broadcast_to(vector[:, None, None, :], shape)

    def compute_output_shape(self, input_shape: list[tuple[Any, ...]]) -> tuple[Any, ...]:
        of_map, of_vector = input_shape
        return (*of_map[:-1], of_vector[-1])
