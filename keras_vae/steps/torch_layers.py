"""Layers on PyTorch as plain functions, which read their weights at each call."""

from collections.abc import Callable
from typing import Any

import keras
import torch
from torch.nn import functional

from keras_vae.layers.function_of import compute_by
from keras_vae.layers.output_bias import OutputBias
from keras_vae.layers.residual import ResidualBlock
from keras_vae.layers.subpixel import SubpixelUpsampling2D
from keras_vae.operations import plain
from keras_vae.operations import replace_by
from keras_vae.steps.torch_products import product
from keras_vae.typing import Tensor


def operation(op: Any) -> Callable | None:
    """Returns an operation of a network as a function, or `None` if it is not known here.

    Args:
        op: A built layer, or an operation of `keras.ops`.
    """
    if not isinstance(op, keras.Layer):
        return op.call  # operations of `keras.ops` have no state
    if (op.compute_dtype, op.variable_dtype) != ("float32", "float32"):
        return None
    function = _FUNCTIONS.get(type(op))
    return None if function is None else function(op)


def identity(x: Tensor) -> Tensor:
    """Returns x."""
    return x


def dense(layer: keras.layers.Dense, output_bias: OutputBias | None = None) -> Callable:
    """Returns a dense layer as a function of a float32 tensor.

    Args:
        layer: A built layer.
        output_bias: `OutputBias` that is added within the product, in place of the layer's bias.
    """
    activation = _activation(layer.activation, in_place=True)

    def call(x: Tensor) -> Tensor:
        bias = _bias(layer) if output_bias is None else output_bias.bias.value.reshape(-1)
        return activation(product(x, _value(layer.kernel), bias))

    return call


def convolution(layer: keras.layers.Conv2D) -> Callable[[Tensor], Tensor]:
    """Returns a convolution as a function of a tensor in its compute dtype.

    Keras copies the input into another memory layout and back; this function does not.

    Args:
        layer: A built layer.
    """
    is_plain = layer.groups == 1 and layer.padding in ("same", "valid") and _is_of_pixels(layer)
    if not is_plain:
        return layer.call if layer.compute_dtype == layer.variable_dtype else layer
    finished = _finish(layer)

    def call(x: Tensor) -> Tensor:
        x = x.permute(0, 3, 1, 2)
        before, after = (0, 0), (0, 0)
        if layer.padding == "same":
            steps = zip(x.shape[2:], layer.kernel_size, layer.strides, strict=True)
            needed = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in steps]
            before = tuple(n // 2 for n in needed)
            after = tuple(n - b for n, b in zip(needed, before, strict=True))
        if before != after:
            x = functional.pad(x, (before[1], after[1], before[0], after[0]))
            before = (0, 0)
        kernel, bias = _value(layer.kernel).permute(3, 2, 0, 1), _bias(layer)
        if kernel.dtype != x.dtype:  # in mixed precision
            kernel, bias = kernel.to(x.dtype), None if bias is None else bias.to(x.dtype)
        return finished(functional.conv2d(x, kernel, bias, layer.strides, before))

    return call


def embedding(layer: keras.layers.Embedding) -> Callable[[Tensor], Tensor]:
    """Returns an embedding as a function of integers, with its current vectors."""
    vectors = keras.ops.cast(layer.embeddings, layer.compute_dtype)
    return lambda indices: functional.embedding(indices, vectors)


def _finish(layer):
    """Returns a function that applies a layer's activation to its convolution's output (B, C, H,
    W), which it may overwrite, and moves the channels last."""
    if layer.activation is keras.activations.relu:
        return lambda y: torch.relu_(y).permute(0, 2, 3, 1)
    activation = _activation(layer.activation)
    return lambda y: activation(y.permute(0, 2, 3, 1))


def _transposed_convolution(layer):
    """As in Keras, but without computing the parts that are cropped on both sides.

    If the output is cropped by negative padding, its gradient has the memory layout with which
    convolutions are fast; the gradient of a slice does not. The bias is added afterwards, because
    oneDNN takes up to three times as long for a transposed convolution with a bias.
    """
    cut = [k - s for k, s in zip(layer.kernel_size, layer.strides, strict=True)]
    is_plain = layer.padding == "same" and layer.output_padding is None and _is_of_pixels(layer)
    if not is_plain or min(cut) < 0:
        return layer.call
    finished, at_both_sides = _finish(layer), [n // 2 for n in cut]
    at_the_end = (0, -(cut[1] % 2), 0, -(cut[0] % 2))

    def call(x: Tensor) -> Tensor:
        kernel = _value(layer.kernel).permute(3, 2, 0, 1)
        y = functional.conv_transpose2d(
            x.permute(0, 3, 1, 2), kernel, None, layer.strides, at_both_sides
        )
        if any(at_the_end):
            y = functional.pad(y, at_the_end)
        if layer.bias is not None:
            y = y.add_(_bias(layer)[:, None, None])
        return finished(y)

    return call


def _is_of_pixels(layer):
    return layer.data_format == "channels_last" and set(layer.dilation_rate) == {1}


def _value(kernel):
    return getattr(kernel, "value", kernel)  # a tensor, if something else has adapted the kernel


def _bias(layer):
    return None if layer.bias is None else layer.bias.value


def _group_normalization(layer):
    """As in Keras, but in one operation, which stores no map-sized differences and squares."""
    if layer.axis not in (-1, layer.input_spec.ndim - 1):
        return layer.call

    def call(x: Tensor) -> Tensor:
        if torch.is_grad_enabled() and not x.requires_grad:
            # As after frozen layers. If its input needs no gradient, PyTorch's operation fails, and
            # with channels last it crashes the process.
            return layer.call(x)
        scale = None if layer.gamma is None else layer.gamma.value
        center = None if layer.beta is None else layer.beta.value
        y = functional.group_norm(x.movedim(-1, 1), layer.groups, scale, center, layer.epsilon)
        return y.movedim(1, -1)

    return call


def _flatten(layer):
    if layer.data_format != "channels_last":
        return layer.call
    return lambda x: x.reshape(x.shape[0], -1)


def _reshape(layer):
    return lambda x: x.reshape(x.shape[0], *layer.target_shape)


def _output_bias(layer):
    return lambda x: x + layer.bias.value


def _residual_block(layer):
    first, second = convolution(layer.conv_1), convolution(layer.conv_2)
    activation = _activation(layer.activation)
    return lambda x: x + second(activation(first(activation(x))))


def _subpixel(layer):
    convolved = convolution(layer.conv)
    return lambda x: layer.unfolded(convolved(x))


def _computed(layer):
    return layer.call


_FUNCTIONS: dict[type, Callable[[Any], Callable]] = {
    keras.layers.Conv2D: convolution,
    keras.layers.Conv2DTranspose: _transposed_convolution,
    keras.layers.Dense: dense,
    keras.layers.Flatten: _flatten,
    keras.layers.GroupNormalization: _group_normalization,
    keras.layers.Reshape: _reshape,
    OutputBias: _output_bias,
    keras.layers.Activation: lambda layer: _activation(layer.activation),
    **dict.fromkeys(
        [
            keras.layers.Add,
            keras.layers.AveragePooling2D,
            keras.layers.Concatenate,
            keras.layers.Conv1D,
            keras.layers.Conv1DTranspose,
            keras.layers.GlobalAveragePooling2D,
            keras.layers.LayerNormalization,
            keras.layers.LeakyReLU,
            keras.layers.MaxPooling2D,
            keras.layers.ReLU,
            keras.layers.UpSampling2D,
            keras.layers.ZeroPadding2D,
        ],
        _computed,
    ),
    ResidualBlock: _residual_block,
    SubpixelUpsampling2D: _subpixel,
}


def _activation(activation, in_place=False):
    """Returns a function for a Keras activation; it may overwrite its argument if `in_place`."""
    if in_place and activation is keras.activations.relu:
        return torch.relu_
    return plain(activation)


_OPERATIONS: dict[Callable, Callable] = {
    keras.activations.linear: identity,
    keras.activations.relu: torch.relu,
    keras.activations.silu: functional.silu,
    keras.activations.tanh: torch.tanh,
    keras.ops.concatenate: torch.cat,
    keras.ops.cumsum: torch.cumsum,
    keras.ops.mean: torch.mean,
    keras.ops.minimum: torch.clamp_max,
    keras.ops.sigmoid: torch.sigmoid,
    keras.ops.softmax: torch.softmax,
    keras.ops.split: torch.tensor_split,
    keras.ops.stack: torch.stack,
    keras.ops.sum: torch.sum,
    keras.ops.tanh: torch.tanh,
}
for known, function in _OPERATIONS.items():
    replace_by(known, function)
compute_by(keras.layers.Conv2D, convolution)
compute_by(keras.layers.Embedding, embedding)
