"""Networks of plain layers on PyTorch, without what Keras does around each call of a layer."""

import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any

import keras
import torch
from torch.nn import functional

from keras_vae.layers.output_bias import OutputBias
from keras_vae.layers.residual import ResidualBlock
from keras_vae.layers.subpixel import SubpixelUpsampling2D
from keras_vae.steps.torch_products import product
from keras_vae.typing import Tensor


def output_of(network: Any, inputs: Any, training: bool) -> Any:
    """Returns `network(inputs, training=training)`, by fewer calls where that changes nothing.

    Around the mathematics of a layer Keras converts, checks and names its inputs, looks for masks
    and keeps a context, at about 0.1 ms a layer: more than the mathematics, on small networks.
    None of it matters to a functional network in float32 whose layers are Keras' own dense and
    convolutional ones, called on a tensor of the right rank. All other networks, and those with
    hooks or costs on activations, are called as usual; so are all while an export traces them,
    which knows the shapes of Keras' own operations better.

    Args:
        network: Any layer.
        inputs: What it is called on.
        training: Bool.
    """
    plan = None if torch.jit.is_tracing() else _plan_of(network)
    if plan is None or not plan.holds() or not _fits(network, inputs):
        return network(inputs, training=training)
    return plan(inputs)


def called(layer: keras.Layer, *inputs: Tensor) -> Any:
    """Returns `layer(*inputs)`, of a layer that computes no more than its `call`, in float32.

    Args:
        layer: Layer without masks and without a `training` argument.
        *inputs: Tensors.
    """
    is_in_float32 = layer.compute_dtype == layer.variable_dtype == "float32"
    is_plain = layer.built and is_in_float32 and not layer._forward_hooks
    if is_plain and all(x.dtype == torch.float32 for x in inputs):
        return layer.call(*inputs)
    return layer(*inputs)


class _Plan:
    """What a network computes. It does not hold the network, with whose life it ends.

    Args:
        network: Functional or sequential `keras.Model`.
        functions: Dict, id of an operation -> function of its inputs.
    """

    def __init__(self, network: Any, functions: dict[int, Callable]):
        self.layers = network.layers
        self._all_layers = network._flatten_layers(include_self=False)
        self._hooks = [
            getattr(layer, kind)  # dicts, into which hooks are put
            for layer in [network, *self._all_layers]
            for kind in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
        ]
        self._prepare(network, functions)

    def holds(self) -> bool:
        """Whether nothing has been attached to a layer that a call of it must do."""
        return not any(self._hooks) and not any(
            layer.activity_regularizer is not None or layer.quantization_mode is not None
            for layer in self._all_layers
        )

    def _prepare(self, network, functions):
        nodes = [
            node
            for depth in sorted(network._nodes_by_depth, reverse=True)
            for node in network._nodes_by_depth[depth]
            if not node.is_input
        ]
        functions = functions | _with_joined_biases(nodes, network.outputs)
        made = [[id(x) for x in node.outputs] for node in nodes]
        used = [[id(x) for x in node.input_tensors] for node in nodes]
        self._steps = [
            (functions[id(node.operation)], node.arguments.fill_in, outputs, done)
            for node, outputs, done in zip(nodes, made, _last_uses(made, used), strict=True)
        ]
        self._inputs = [id(x) for x in network.inputs]
        self._outputs = [id(x) for x in network.outputs]
        self._structure = network.output  # a tensor, or a list, tuple or dict of them
        kept = {*self._inputs, *self._outputs}
        for *_, done in self._steps:
            done -= kept

    def __call__(self, inputs: Any) -> Any:
        given = inputs if isinstance(inputs, list | tuple) else [inputs]
        results = dict(zip(self._inputs, given, strict=True))
        for function, arguments, outputs, done in self._steps:
            args, kwargs = arguments(results)
            result = function(*args, **kwargs)
            del args, kwargs
            for i in done:  # maps of a large picture, say, of which a few at a time fit in memory
                results.pop(i, None)
            if len(outputs) == 1:
                results[outputs[0]] = result
            else:
                results.update(zip(outputs, keras.tree.flatten(result), strict=True))
        found = [results[i] for i in self._outputs]
        if len(found) == 1 and not isinstance(self._structure, dict):
            return found[0]
        return keras.tree.pack_sequence_as(self._structure, found)


def _last_uses(made, used):
    """Returns for each step the set of those values that no later step uses, its own among them."""
    later: set[int] = set()
    found = []
    for outputs, inputs in zip(reversed(made), reversed(used), strict=True):
        found.append(set(inputs) - later)
        later |= {*inputs, *outputs}
    return found[::-1]


class _PlanInSequence(_Plan):
    def _prepare(self, network, functions):
        self._functions = [functions[id(layer)] for layer in network.layers]

    def __call__(self, inputs):
        for function in self._functions:
            inputs = function(inputs)
        return inputs


_PLANS: weakref.WeakKeyDictionary[Any, _Plan | None] = weakref.WeakKeyDictionary()
_Functional: type = type(keras.Model(x := keras.Input((1,)), x))


def _plan_of(network):
    """Returns a plan, or `None` for a network that is not of this kind."""
    if not isinstance(network, keras.Model) or not network.built:
        return None
    known = _PLANS.get(network, _UNKNOWN)
    is_sequence = isinstance(known, _PlanInSequence)
    if known is _UNKNOWN or (is_sequence and known.layers != network.layers):  # one was added
        known = _PLANS[network] = _made(network)
    return known


_UNKNOWN = object()


def _made(network):
    if not _calls_its_graph(network):
        return None
    is_sequence = isinstance(network, keras.Sequential)
    operations = network.layers if is_sequence else network.operations
    functions = {
        id(op): _function(op) for op in operations if not isinstance(op, keras.layers.InputLayer)
    }
    if None in functions.values():
        return None
    return (_PlanInSequence if is_sequence else _Plan)(network, functions)


def _calls_its_graph(network):
    """Whether calling a network is nothing but running its layers."""
    kind = keras.Sequential if isinstance(network, keras.Sequential) else _Functional
    own = type(network)
    return isinstance(network, kind) and (own.call, own.__call__) == (kind.call, kind.__call__)


def _fits(network, inputs):
    """Whether inputs are tensors of float32 of the shapes that a network was made for."""
    given = inputs if isinstance(inputs, list | tuple) else [inputs]
    expected = network.inputs
    return len(given) == len(expected) and all(
        isinstance(x, torch.Tensor)
        and x.dtype == torch.float32
        and x.ndim == len(e.shape)
        and all(n in (None, m) for n, m in zip(e.shape[1:], x.shape[1:], strict=True))
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


def _with_joined_biases(nodes, outputs):
    """Returns `{id of an operation: function}` where a dense layer without a bias comes before an
    `OutputBias`, with at most shapes between them: one operation then does both."""
    uses = Counter(id(x) for x in [*outputs, *(x for n in nodes for x in n.input_tensors)])
    num_calls = Counter(id(node.operation) for node in nodes)
    made_by = {id(x): node for node in nodes for x in node.outputs}

    def only_source(node):
        if len(node.input_tensors) != 1 or uses[id(node.input_tensors[0])] > 1:
            return None
        source = made_by.get(id(node.input_tensors[0]))
        return source if source and num_calls[id(source.operation)] == 1 else None

    joined = {}
    for node in nodes:
        if type(node.operation) is not OutputBias or num_calls[id(node.operation)] > 1:
            continue
        source = only_source(node)
        while source is not None and type(source.operation) is keras.layers.Reshape:
            source = only_source(source)
        if source is not None and _is_bare_product(source):
            joined[id(source.operation)] = _dense(source.operation, node.operation)
            joined[id(node.operation)] = _identity
    return joined


def _is_bare_product(node):
    """Whether a node is a product of a matrix of examples with that of a dense layer, no more."""
    op = node.operation
    is_linear = type(op) is keras.layers.Dense and op.activation is keras.activations.linear
    return is_linear and op.bias is None and len(node.input_tensors[0].shape) == 2


def _identity(x):
    return x


def _dense(layer, output_bias=None):
    activation = _activation(layer.activation, in_place=True)

    def call(x: Tensor) -> Tensor:
        bias = _bias(layer) if output_bias is None else output_bias.bias.value.reshape(-1)
        return activation(product(x, _value(layer.kernel), bias))

    return call


def convolution(layer: keras.layers.Conv2D) -> Callable[[Tensor], Tensor]:
    """Returns the function that a layer computes, of a tensor in its compute dtype.

    Keras copies the input into another order in memory, and back; this function does not.

    Args:
        layer: Layer that is built.
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


def _finish(layer):
    """Returns a function that applies a layer's activation to what its convolution made, (B, C, H,
    W), which may be overwritten, and puts the channels last."""
    if layer.activation is keras.activations.relu:
        return lambda y: torch.relu_(y).permute(0, 2, 3, 1)
    activation = _activation(layer.activation)
    return lambda y: activation(y.permute(0, 2, 3, 1))


def _transposed_convolution(layer):
    """As Keras, but that what is cut off at both sides is not computed first.

    Cut off by negative padding, the rest has a gradient in the order of the channels in memory that
    convolutions are fast with. That of a slice has another. The bias is added afterwards: oneDNN
    takes up to three times as long for a transposed convolution that has one.
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
    return getattr(kernel, "value", kernel)  # a tensor, where others adapt the kernel


def _bias(layer):
    return None if layer.bias is None else layer.bias.value


def _group_normalization(layer):
    """As Keras, in one operation, which keeps no differences and squares of the size of a map."""
    if layer.axis not in (-1, layer.input_spec.ndim - 1):
        return layer.call

    def call(x: Tensor) -> Tensor:
        if torch.is_grad_enabled() and not x.requires_grad:
            # As behind frozen layers. Without a gradient for its input, PyTorch's own operation
            # fails, and with channels last it ends the process.
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
    keras.layers.Dense: _dense,
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
    """Returns a function for one of Keras', which may write over its argument if `in_place`."""
    if in_place and activation is keras.activations.relu:
        return torch.relu_
    return _ACTIVATIONS.get(activation, activation)


_ACTIVATIONS = {
    None: _identity,
    keras.activations.linear: _identity,
    keras.activations.relu: torch.relu,
    keras.activations.silu: functional.silu,
    keras.activations.tanh: torch.tanh,
}
