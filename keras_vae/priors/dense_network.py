"""The dense layers inside learned priors."""

import keras

from keras_vae.checks import check_count


class DenseNetwork(keras.layers.Layer):
    """Dense layers with an activation, and a linear one on top.

    Args:
        hidden_units: tuple of ints, units of the hidden layers. () gives a linear map.
        output_size: int, numbers returned for each row.
        activation: name or function, after every hidden layer.
        output_initializer: initializer of the kernel of the linear layer, whose bias starts at 0.

    Input shape: (B, N). Output shape: (B, output_size).
    """

    def __init__(self, hidden_units, output_size, activation, output_initializer, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.dense = [
            keras.layers.Dense(units, activation, dtype="float32", name=f"dense_{i}")
            for i, units in enumerate(hidden_units, start=1)
        ]
        output = keras.layers.Dense(
            output_size, kernel_initializer=output_initializer, dtype="float32", name="output"
        )
        self.dense.append(output)

    def build(self, input_shape):
        size = input_shape[-1]
        for layer in self.dense:
            layer.build((None, size))
            size = layer.units

    def call(self, inputs):
        for layer in self.dense:
            inputs = layer(inputs)
        return inputs


def check_units(hidden_units):
    """Returns `hidden_units` as a tuple of ints of at least 1, one for each hidden layer.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(hidden_units, list | tuple):
        raise ValueError(
            f"`hidden_units` must be a tuple with one integer a layer. Received: {hidden_units!r}. "
            f"For one layer write ({hidden_units!r},)."
        )
    return tuple(check_count("hidden_units", units) for units in hidden_units)
