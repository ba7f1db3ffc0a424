"""A bias for every number that a decoder outputs."""

from typing import Any

import keras

from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class OutputBias(keras.layers.Layer):
    """Adds a learned bias with the shape of one example: `y = x + bias`.

    The bias of a convolution is one number per channel; this one has a number per pixel and
    channel, so that any decoder can start at the training mean (Burda et al. set the output bias to
    the logit of each pixel's mean). If height and width are unknown, it has a number per channel.

    Args:
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Input and output shape: (B, *shape), the last axis known.

    Example:

    ```python
    y = OutputBias()(keras.random.normal((8, 28, 28, 1)))  # bias of shape (28, 28, 1), zeros
    ```

    Reference:
        - [Burda et al., 2016](https://arxiv.org/abs/1509.00519), "Importance weighted
          autoencoders", section 5
    """

    def build(self, input_shape: tuple[Any, ...]) -> None:
        shape = tuple(1 if size is None else size for size in input_shape[1:])
        self.bias = self.add_weight(name="bias", shape=shape, initializer="zeros")

    def call(self, inputs: Tensor) -> Tensor:
        return inputs + self.bias

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return input_shape
