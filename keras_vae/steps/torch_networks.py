"""Networks of plain layers on PyTorch, without Keras' overhead at each call of a layer."""

import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any

import keras
import torch

from keras_vae.layers.output_bias import OutputBias
from keras_vae.steps import torch_layers
from keras_vae.typing import Tensor


def output_of(network: Any, inputs: Any, training: bool) -> Any:
    """Returns `network(inputs, training=training)`, with less overhead where that is safe.

    At each call of a layer, Keras converts, checks and names its inputs, looks for masks and keeps
    a context, which takes about 0.1 ms: more than the computation, for small networks. None of that
    matters for a functional float32 network whose layers are Keras' dense and convolutional ones,
    called on a tensor of the right rank. All other networks, and those with hooks or activity
    regularisers, are called as usual. So are all networks within a call of a model in mixed
    precision, and while they are traced for an export, which handles the shapes of Keras' own
    operations better.

    Args:
        network: Any layer.
        inputs: Its inputs.
        training: Bool.
    """
    is_usual = torch.jit.is_tracing() or not _reads_float32()
    plan = None if is_usual else _plan_of(network)
    if plan is None or not plan.holds() or not _fits(network, inputs):
        return network(inputs, training=training)
    return plan(inputs)


def called(layer: keras.Layer, *inputs: Tensor) -> Any:
    """Returns `layer(*inputs)` for a float32 layer that needs nothing but its `call`.

    Args:
        layer: Layer without masks and without a `training` argument.
        *inputs: Tensors.
    """
    is_in_float32 = layer.compute_dtype == layer.variable_dtype == "float32"
    is_plain = layer.built and is_in_float32 and not layer._forward_hooks and _reads_float32()
    if is_plain and all(x.dtype == torch.float32 for x in inputs):
        return layer.call(*inputs)
    return layer(*inputs)


_PROBE = keras.Variable(0.0, dtype="float32", trainable=False, name="probe")


def _reads_float32():
    """Whether float32 weights are read as such. While a model in mixed precision is called they are
    not, which Keras' layers handle in their `__call__`."""
    return _PROBE.value.dtype == torch.float32


class _Plan:
    """The computation of a network. It holds no reference to the network, and lives as long as it.

    Args:
        network: Functional or sequential `keras.Model`.
        functions: Dict from the id of an operation to a function of its inputs.
    """

    def __init__(self, network: Any, functions: dict[int, Callable]):
        self.layers = network.layers
        self._all_layers = network._flatten_layers(include_self=False)
        self._hooks = [
            getattr(layer, kind)  # dicts of hooks
            for layer in [network, *self._all_layers]
            for kind in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
        ]
        self._prepare(network, functions)

    def holds(self) -> bool:
        """Whether no hooks have been attached to a layer that its call would have to run."""
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
            for i in done:  # e.g. maps of a large picture, of which only a few fit into memory
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
    """Returns for each step the set of values, including its own, that no later step uses."""
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
    """Returns a plan, or `None` if the network does not allow one."""
    if not isinstance(network, keras.Model) or not network.built:
        return None
    known = _PLANS.get(network, _UNKNOWN)
    is_sequence = isinstance(known, _PlanInSequence)
    if known is _UNKNOWN or (is_sequence and known.layers != network.layers):  # a layer was added
        known = _PLANS[network] = _made(network)
    return known


_UNKNOWN = object()


def _made(network):
    if not _calls_its_graph(network):
        return None
    is_sequence = isinstance(network, keras.Sequential)
    operations = network.layers if is_sequence else network.operations
    computed = [op for op in operations if not isinstance(op, keras.layers.InputLayer)]
    functions = {id(op): torch_layers.operation(op) for op in computed}
    if None in functions.values():
        return None
    return (_PlanInSequence if is_sequence else _Plan)(network, functions)


def _calls_its_graph(network):
    """Whether calling a network does nothing but run its layers."""
    kind = keras.Sequential if isinstance(network, keras.Sequential) else _Functional
    own = type(network)
    return isinstance(network, kind) and (own.call, own.__call__) == (kind.call, kind.__call__)


def _fits(network, inputs):
    """Whether inputs are float32 tensors of the shapes that a network was built for."""
    given = inputs if isinstance(inputs, list | tuple) else [inputs]
    expected = network.inputs
    return len(given) == len(expected) and all(
        isinstance(x, torch.Tensor)
        and x.dtype == torch.float32
        and x.ndim == len(e.shape)
        and all(n in (None, m) for n, m in zip(e.shape[1:], x.shape[1:], strict=True))
        for x, e in zip(given, expected, strict=True)
    )


def _with_joined_biases(nodes, outputs):
    """Returns `{id of an operation: function}` for dense layers without a bias that are followed by
    an `OutputBias`, with at most reshapes in between: one operation then does both."""
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
            joined[id(source.operation)] = torch_layers.dense(source.operation, node.operation)
            joined[id(node.operation)] = torch_layers.identity
    return joined


def _is_bare_product(node):
    """Whether a node is just the product of a matrix of examples with a dense layer's kernel."""
    op = node.operation
    is_linear = type(op) is keras.layers.Dense and op.activation is keras.activations.linear
    return is_linear and op.bias is None and len(node.input_tensors[0].shape) == 2
