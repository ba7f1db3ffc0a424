"""Networks of plain layers on PyTorch, without what Keras does around each call of a layer."""

import weakref
from collections.abc import Callable
from typing import Any

import keras
import torch

from keras_vae.layers.output_bias import OutputBias
from keras_vae.layers.residual import ResidualBlock
from keras_vae.layers.subpixel import SubpixelUpsampling2D
from keras_vae.typing import Tensor


def output_of(network: Any, inputs: Any, training: bool) -> Any:
    """Returns `network(inputs, training=training)`, by fewer calls where that changes nothing.

    Around the mathematics of a layer Keras converts, checks and names its inputs, looks for masks
    and keeps a context, at about 0.1 ms a layer: more than the mathematics, on small networks.
    None of it matters to a functional network in float32 whose layers are Keras' own dense and
    convolutional ones, called on a tensor of the right rank. All other networks, and those with
    hooks or costs on activations, are called as usual.

    Args:
        network: Any layer.
        inputs: What it is called on.
        training: Bool.
    """
    plan = _plan_of(network)
    if plan is None or not _is_plain([network, *plan.layers]) or not _fits(network, inputs):
        return network(inputs, training=training)
    return plan(network, inputs)


def _is_plain(layers):
    """Whether nothing has been attached to a layer that a call of it must do."""
    return not any(
        layer._forward_hooks
        or layer._forward_pre_hooks
        or layer._backward_hooks
        or layer.activity_regularizer is not None
        or layer.quantization_mode is not None
        for layer in layers
    )


class _Plan:
    """What the layers of a network compute. It does not hold the network, whose life it ends with.

    Args:
        layers: List of layers.
        functions: Dict, id of an operation -> function of its inputs.
    """

    def __init__(self, layers: list, functions: dict[int, Callable]):
        self.layers, self.functions = layers, functions

    def __call__(self, network: Any, inputs: Any) -> Any:
        outputs = network._run_through_graph(inputs, lambda op: self.functions[id(op)])
        is_single = isinstance(outputs, list | tuple) and len(outputs) == 1
        return outputs[0] if is_single else outputs


class _PlanInSequence(_Plan):
    def __call__(self, network, inputs):
        for layer in network.layers:
            inputs = self.functions[id(layer)](inputs)
        return inputs


_PLANS: weakref.WeakKeyDictionary[Any, _Plan | None] = weakref.WeakKeyDictionary()
_Functional: type = type(keras.Model(x := keras.Input((1,)), x))


def _plan_of(network):
    """Returns a plan, or `None` for a network that is not of this kind."""
    if not isinstance(network, keras.Model) or not network.built:
        return None
    known = _PLANS.get(network)
    is_sequence = known is not None and isinstance(network, keras.Sequential)
    if is_sequence and known.layers != network.layers:  # one was added
        del _PLANS[network]
    if network not in _PLANS:
        _PLANS[network] = _made(network)
    return _PLANS[network]


def _made(network):
    if not _calls_its_graph(network):
        return None
    functions = {id(op): _function(op) for op in _operations(network)}
    if None in functions.values():
        return None
    kind = _PlanInSequence if isinstance(network, keras.Sequential) else _Plan
    return kind(network.layers, functions)


def _calls_its_graph(network):
    """Whether calling a network is nothing but running its layers."""
    kind = type(network)
    if isinstance(network, keras.Sequential):
        return kind.call is keras.Sequential.call and kind.__call__ is keras.Model.__call__
    is_functional = isinstance(network, _Functional)
    return is_functional and kind.call is _Functional.call and kind.__call__ is keras.Model.__call__


def _operations(network):
    of_graph = network.layers if isinstance(network, keras.Sequential) else network.operations
    return [op for op in of_graph if not isinstance(op, keras.layers.InputLayer)]


def _fits(network, inputs):
    """Whether inputs are tensors of float32 of the ranks that a network was made for."""
    given = inputs if isinstance(inputs, list | tuple) else [inputs]
    expected = network.inputs
    return len(given) == len(expected) and all(
        isinstance(x, torch.Tensor)
        and x.dtype == torch.float32
        and x.ndim == len(e.shape)
        and tuple(e.shape[1:]) == tuple(x.shape[1:])
        for x, e in zip(given, expected, strict=True)
    )


def _function(op):
    """Returns what an operation of a network computes, or `None` where it is not known here."""
    if not isinstance(op, keras.Layer):
        return op.call  # of `keras.ops`, which has no state
    if (op.compute_dtype, op.variable_dtype) != ("float32", "float32"):
        return None
    function = _FUNCTIONS.get(type(op))
    return None if function is None else function(op)


def _dense(layer):
    activation = _activation(layer.activation)

    def call(x: Tensor) -> Tensor:
        kernel, bias = layer.kernel, layer.bias
        kernel = getattr(kernel, "value", kernel)
        if bias is None:
            return activation(torch.matmul(x, kernel))
        if x.ndim == 2:
            return activation(torch.addmm(bias.value, x, kernel))
        return activation(torch.matmul(x, kernel) + bias.value)

    return call


def _flatten(layer):
    if layer.data_format != "channels_last":
        return layer.call
    return lambda x: x.reshape(x.shape[0], -1)


def _reshape(layer):
    return lambda x: x.reshape(x.shape[0], *layer.target_shape)


def _output_bias(layer):
    return lambda x: x + layer.bias.value


def _computed(layer):
    return layer.call


def _called(layer):
    return layer  # it holds others


_FUNCTIONS: dict[type, Callable[[Any], Callable]] = {
    keras.layers.Dense: _dense,
    keras.layers.Flatten: _flatten,
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
            keras.layers.Conv2D,
            keras.layers.Conv2DTranspose,
            keras.layers.GlobalAveragePooling2D,
            keras.layers.LayerNormalization,
            keras.layers.LeakyReLU,
            keras.layers.MaxPooling2D,
            keras.layers.ReLU,
            keras.layers.UpSampling2D,
        ],
        _computed,
    ),
    ResidualBlock: _called,
    SubpixelUpsampling2D: _called,
}


def _activation(activation):
    return _ACTIVATIONS.get(activation, activation)


_ACTIVATIONS = {
    None: lambda x: x,
    keras.activations.linear: lambda x: x,
    keras.activations.relu: torch.relu,
    keras.activations.silu: torch.nn.functional.silu,
    keras.activations.tanh: torch.tanh,
}
