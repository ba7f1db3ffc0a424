"""Bounds on what a config may create: the weights of its file, and a limited amount of work."""

import contextlib
import math
import threading
from collections.abc import Iterable
from collections.abc import Iterator

import keras

# Allowance for metrics, some of which have a number for each code.
_SPARE_WEIGHTS = 100
_SPARE_NUMBERS = 2**23
# Keras has no hook for this; layers and metrics create all their variables by these methods.
_MAKERS = ((keras.Layer, "add_weight"), (keras.Metric, "add_variable"))
_MAX_LAYERS = 5000  # one second of work
# At most four seconds of work, for steps of a recurrent layer on PyTorch. The presets of the zoo
# make fewer than 100 calls. The bound does not grow with the file, which may hold many tiny
# tensors.
_MAX_CALLS = 4000
_lock = threading.RLock()  # one replacement of the methods at a time


@contextlib.contextmanager
def weight_budget(shapes: Iterable[tuple]) -> Iterator[None]:
    """Within this context, only as many and as large weights may be created as in `shapes`.

    A few bytes of config can request any amount of memory, but the legitimate amount is known from
    the weights file. So a layer is stopped before it creates more, and layers without weights are
    counted. Layers may be called more often than there are layers: Keras calls those of a
    `Sequential` again for each layer that is added, shared layers may contain shared layers, and a
    recurrent layer computes step by step. So calls and steps are counted too, and limited to 4,000.
    Other threads are not affected.

    Args:
        shapes: Iterable of tuples of ints.

    Raises:
        ValueError: From the layer, metric or call that would exceed it.
    """
    sizes = [math.prod(shape) for shape in shapes]
    left = {"weights": len(sizes) + _SPARE_WEIGHTS, "numbers": sum(sizes) + _SPARE_NUMBERS}
    left["layers"] = min(10 * left["weights"], _MAX_LAYERS)
    left["calls"] = _MAX_CALLS
    owner = threading.get_ident()
    with _lock, contextlib.ExitStack() as restored:
        for kind, method in _MAKERS:
            _replace(restored, kind, method, _bounded(getattr(kind, method), left, owner))
        _replace(restored, keras.Layer, "__init__", _counted(keras.Layer.__init__, left, owner))
        called = _called(keras.Operation.__call__, left, owner)
        _replace(restored, keras.Operation, "__call__", called)
        yield


def _replace(restored, kind, method, by):
    restored.callback(setattr, kind, method, getattr(kind, method))
    setattr(kind, method, by)


def _counted(original, left, owner):
    # Keras inspects this signature for a layer's arguments, none of which is positional.
    def init(self, **kwargs):
        if threading.get_ident() == owner:
            left["layers"] -= 1
            if left["layers"] < 0:
                raise ValueError("it would make many more layers than the file has weights")
        original(self, **kwargs)

    return init


def _called(original, left, owner):
    def call(self, *args, **kwargs):
        if threading.get_ident() == owner:
            left["calls"] -= 1 + _num_steps(self, args)
            if left["calls"] < 0:
                raise ValueError(
                    f"its layers would be called more than {_MAX_CALLS:,} times. Some are shared "
                    "or unrolled too often, or more than 80 lie in one Sequential, which Keras "
                    "calls anew for each: make that a functional model"
                )
        return original(self, *args, **kwargs)

    return call


def _num_steps(operation, args):
    """Returns the number of steps of a recurrent layer, which may not call its cell for each."""
    is_computed = args and not isinstance(args[0], keras.KerasTensor) and hasattr(args[0], "shape")
    return args[0].shape[1] or 0 if is_computed and isinstance(operation, keras.layers.RNN) else 0


def _bounded(original, left, owner):
    def make(self, shape=None, *args, **kwargs):
        if threading.get_ident() == owner:
            _spend(left, shape, self.name)
        return original(self, shape, *args, **kwargs)

    return make


def _spend(left, shape, name):
    axes = () if shape is None else shape
    left["weights"] -= 1
    left["numbers"] -= math.prod(int(n) for n in axes)
    if left["weights"] < 0 or left["numbers"] < 0:
        raise ValueError(
            f"{name[:100]!r} would make a weight of shape {tuple(axes)}, and the file of weights "
            "does not hold that many"
        )
