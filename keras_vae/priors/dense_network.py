"""The dense layers inside learned priors."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from keras_vae.checks import check_count
from keras_vae.typing import Tensor


class DenseNetwork(keras.layers.Layer):
    """Dense layers with an activation, followed by a linear layer.

    Args:
        hidden_units: Tuple of ints, the units of the hidden layers; () for a linear map.
        output_size: Integer, the units of the linear layer.
        activation: String or function, the activation of every hidden layer.
        output_initializer: Initializer of the kernel of the linear layer, whose bias starts at 0.

    Input shape: (B, N).
    Output shape: (B, output_size).
    """

    def __init__(
        self,
        hidden_units: Sequence[int],
        output_size: int,
        activation: str | Callable[[Tensor], Tensor],
        output_initializer: str | keras.initializers.Initializer,
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.dense = [
            keras.layers.Dense(units, activation, dtype="float32", name=f"dense_{i}")
            for i, units in enumerate(hidden_units, start=1)
        ]
        output = keras.layers.Dense(
            output_size, kernel_initializer=output_initializer, dtype="float32", name="output"
        )
        self.dense.append(output)

    def build(self, input_shape: Sequence[Any]) -> None:
        size = input_shape[-1]
        for layer in self.dense:
            layer.build((None, size))
            size = layer.units

    def call(self, inputs: Tensor) -> Tensor:
        for layer in self.dense:
            inputs = layer(inputs)
        return inputs


def check_units(hidden_units: Any) -> tuple[int, ...]:
    """Returns `hidden_units` as a tuple of ints, one for each hidden layer.

    Raises:
        ValueError: If `hidden_units` is not a list or tuple of positive integers.
    """
    if not isinstance(hidden_units, list | tuple):
        raise ValueError(
            f"`hidden_units` must be a tuple with one integer per layer. Received: "
            f"{hidden_units!r}. For one layer, write ({hidden_units!r},)."
        )
    return tuple(check_count("hidden_units", units) for units in hidden_units)
