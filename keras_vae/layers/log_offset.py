"""Adds a known logarithm to the first parameters that a decoder returns."""

from typing import Any

import keras
from keras import ops

from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class LogOffset(keras.layers.Layer):
    """Adds a number for each example to the first block of parameters along the last axis.

    If these are the logarithms of rates, and the number is the logarithm of an exposure (a time, an
    area, the size of a library), the decoder's rates are per unit of exposure.

    Args:
        num_parameters: Integer, the number of blocks of parameters along the last axis.
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Input shape: [parameters, offset], (B, ..., C * num_parameters) and (B, 1).
    Output shape: (B, ..., C * num_parameters).
    """

    def __init__(self, num_parameters: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_parameters = num_parameters

    def call(self, inputs: list[Tensor]) -> Tensor:
        parameters, offset = inputs
        offset = ops.reshape(offset, (-1, *[1] * (len(parameters.shape) - 1)))
        size = parameters.shape[-1] // self.num_parameters
        is_first = ops.cast(ops.arange(parameters.shape[-1]) < size, parameters.dtype)
        return parameters + offset * is_first

    def compute_output_shape(self, input_shape: list[tuple[Any, ...]]) -> tuple[Any, ...]:
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_parameters": self.num_parameters}
