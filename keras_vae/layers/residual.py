"""A residual block that starts as the identity."""

from collections.abc import Callable
from typing import Any

import keras

from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class ResidualBlock(keras.layers.Layer):
    """Adds the output of two convolutions to their input.

    `y = x + conv_2(a(conv_1(a(x))))` with the activation a before each convolution. The second
    convolution starts at zero, so the block starts as the identity and any number of blocks can be
    stacked without normalization. There is no batch normalization: a bound per example requires
    that the output for one example never depends on the rest of its batch.

    Args:
        filters: Int, the number of channels between the two convolutions.
        kernel_size: Int or tuple of 2 ints, the size of both kernels.
        activation: String or callable, the activation a.
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Input and output shape: (B, H, W, channels), channels last.

    Example:

    ```python
    x = keras.random.normal((8, 7, 7, 64))
    y = ResidualBlock(32)(x)  # equals x until trained
    ```

    Reference:
        - [He et al., 2016](https://arxiv.org/abs/1603.05027), "Identity mappings in deep residual
          networks"
        - [Zhang et al., 2019](https://arxiv.org/abs/1901.09321), "Fixup initialization: residual
          learning without normalization"
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int] = 3,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.activation = keras.activations.get(activation)

    def _convolution(self, filters, kernel_initializer, name):
        return keras.layers.Conv2D(
            filters,
            self.kernel_size,
            padding="same",
            data_format="channels_last",
            kernel_initializer=kernel_initializer,
            dtype=self.dtype_policy,
            name=name,
        )

    def build(self, input_shape: tuple[Any, ...]) -> None:
        self.conv_1 = self._convolution(self.filters, "glorot_uniform", "conv_1")
        self.conv_2 = self._convolution(input_shape[-1], "zeros", "conv_2")
        self.conv_1.build(input_shape)
        self.conv_2.build((*input_shape[:-1], self.filters))

    def call(self, inputs: Tensor) -> Tensor:
        x = self.conv_1(self.activation(inputs))
        return inputs + self.conv_2(self.activation(x))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "activation": keras.activations.serialize(self.activation),
        }
