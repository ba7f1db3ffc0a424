"""The heads of networks: the final layers, in float32 under every policy."""

import math
from typing import Any

import keras
from keras import ops

from keras_vae.layers.output_bias import OutputBias
from keras_vae.layers.subpixel import SubpixelUpsampling2D
from keras_vae.networks.trunks import Conv
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


def dense_heads(
    features: Tensor, latent_dim: int, num_outputs: int, mean_std: float | None = None
) -> Tensor | tuple[Tensor, ...]:
    """Returns the outputs of an encoder to vectors: one dense layer each, to (B, latent_dim).

    Args:
        features: Tensor (B, F), the last hidden activations.
        latent_dim: Int, D, the size of z.
        num_outputs: Int, 1, 2 or 3.
        mean_std: Float, the standard deviation of each mean over the data, or `None` to leave the
            means as they are.

    Returns:
        `z`, `(z_mean, z_log_var)` or `(z_mean, z_log_var, features)`.
    """
    names = ("z",) if num_outputs == 1 else ("z_mean", "z_log_var")
    dense = [keras.layers.Dense(latent_dim, dtype="float32", name=name) for name in names]
    mean, *others = (head(features) for head in dense)
    if mean_std is not None:
        # After training, averages over recent batches are used; longer averages would lag. The
        # usual epsilon of 1e-3 or 1e-5 would be a loophole: the KL term drives the means to a
        # variance far below it, where they are no longer normalised, and the model collapses.
        options: dict = {"momentum": 0.9, "center": False, "scale": False, "epsilon": 1e-12}
        normalized = NormalizedMean(name="z_mean_normalized", dtype="float32", **options)
        mean = normalized(mean)
        mean = keras.layers.Rescaling(mean_std, dtype="float32", name="z_mean_scaled")(mean)
    heads = (mean, *others)
    return {1: mean, 2: heads, 3: (*heads, features)}[num_outputs]


@keras.saving.register_keras_serializable(package="keras_vae")
class NormalizedMean(keras.layers.BatchNormalization):
    """A batch normalization whose averages are not updated by a batch of a single example.

    Such a batch, often the last of an epoch, has variance 0, and its mean is the example itself.
    """

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Any:
        num_examples = ops.shape(inputs)[0]  # a tensor while TensorFlow traces
        if not training or (isinstance(num_examples, int) and num_examples > 1):
            return super().call(inputs, training=training, mask=mask)
        averages = (self.moving_mean, self.moving_variance)
        before = [ops.copy(average) for average in averages]
        outputs = super().call(inputs, training=training, mask=mask)
        for average, value in zip(averages, before, strict=True):
            after = ops.convert_to_tensor(average)
            average.assign(ops.where(num_examples > 1, after, value))
        return outputs

    def _moments(self, inputs: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        # On PyTorch, Keras subtracts squares; for identical examples the result may be negative.
        mean, variance = super()._moments(inputs, mask)
        return mean, ops.maximum(variance, 0.0)


def map_heads(
    x: Tensor, latent_dim: int, num_outputs: int, kernel_size: int = 1
) -> Tensor | tuple[Tensor, ...]:
    """Returns the outputs of an encoder to maps: one convolution each, to (B, h, w, latent_dim).

    Args, returns: as for `dense_heads`, with a map x (B, h, w, F).
    """
    names = ("z",) if num_outputs == 1 else ("z_mean", "z_log_var")
    options = {"kernel_size": kernel_size, "dtype": "float32"}
    heads = tuple(Conv(latent_dim, name=name, **options)(x) for name in names)
    return {1: heads[0], 2: heads, 3: (*heads, x)}[num_outputs]


def dense_output(x: Tensor, output_shape: Shape, num_parameters: int = 1) -> Tensor:
    """Returns the output of a dense decoder: (B, N) to (B, ..., C * num_parameters)."""
    *others, channels = output_shape
    shape = (*others, channels * num_parameters)
    output = keras.layers.Dense(math.prod(shape), use_bias=False, dtype="float32", name="output")
    return with_output_bias(keras.layers.Reshape(shape, dtype="float32", name="reshape")(output(x)))


def doubled_output(x: Tensor, output_shape: Shape, num_parameters: int, kernel_size: int) -> Tensor:
    """Returns the output of a convolutional decoder, doubled to (B, H, W, C * num_parameters)."""
    *size, channels = output_shape
    target = None if None in size else size
    output = SubpixelUpsampling2D(
        channels * num_parameters,
        kernel_size,
        target,
        use_bias=False,
        dtype="float32",
        name="output",
    )
    return with_output_bias(output(x))


def with_output_bias(x: Tensor) -> Tensor:
    """Adds a bias of the shape of the output, the only one of a decoder's last layer."""
    return OutputBias(dtype="float32", name="output_bias")(x)
