"""Layers as plain functions, for loops that call them at every position."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_vae.operations import plain
from keras_vae.products import matrix_product
from keras_vae.typing import Tensor


def function_of(layer: keras.Layer) -> Callable[[Tensor], Tensor]:
    """Returns a layer as a function, with its current weights.

    Keras converts, checks and names the inputs of a layer at each call. On PyTorch that takes
    0.05 ms, more than the computation at one position; backends that compile do it once.

    Args:
        layer: A built layer. It is returned itself if its class is not registered here, or if hooks
            are attached to its calls.

    Returns:
        Function of a tensor of the layer's compute dtype (of integers for an `Embedding`).
    """
    make = _FUNCTIONS.get(type(layer))
    return layer if make is None or not _is_plain(layer) else make(layer)


def affine(kernel: Tensor, bias: Tensor | None, dtype: str) -> Callable[[Tensor], Tensor]:
    """Returns `x -> x @ kernel + bias`, for x (..., M) of this dtype.

    Args:
        kernel: Tensor or variable (M, N).
        bias: Tensor or variable (N,), or `None`.
        dtype: String.
    """
    kernel = ops.cast(kernel, dtype)
    if bias is not None:
        bias = ops.cast(bias, dtype)
    return lambda x: matrix_product(x, kernel, bias)


def compute_by(kind: type, make: Callable[[Any], Callable]) -> None:
    """Makes `function_of` return `make(layer)` for layers of a class.

    Args:
        kind: Class; its subclasses are not included.
        make: Function of a layer that returns a function of a tensor in the layer's compute dtype.
    """
    _FUNCTIONS[kind] = make


def _dense(layer):
    product = affine(layer.kernel, layer.bias, layer.compute_dtype)
    if layer.activation is keras.activations.linear:
        return product
    activation = plain(layer.activation)
    return lambda x: activation(product(x))


def _embedding(layer):
    vectors = ops.cast(layer.embeddings, layer.compute_dtype)
    return lambda indices: ops.take(vectors, indices, axis=0)


def _computed(layer):
    return layer.call if layer.compute_dtype == layer.variable_dtype else layer


_FUNCTIONS: dict[type, Callable[[Any], Callable]] = {
    keras.layers.Conv2D: _computed,
    keras.layers.Dense: _dense,
    keras.layers.Embedding: _embedding,
    keras.layers.LayerNormalization: _computed,
}


def _is_plain(layer):
    hooks = (getattr(layer, name, None) for name in ("_forward_hooks", "_forward_pre_hooks"))
    is_quantized = layer.quantization_mode is not None
    return not is_quantized and layer.activity_regularizer is None and not any(hooks)
