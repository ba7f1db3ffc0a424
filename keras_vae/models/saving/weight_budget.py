"""A bound on the weights that a configuration may make: those of the file it came with."""

import contextlib
import math
import threading
from collections.abc import Iterable
from collections.abc import Iterator

import keras

# Besides the weights of the file there are metrics, some with a number for each code.
_SPARE_WEIGHTS = 100
_SPARE_NUMBERS = 2**23
# Keras has no hook for it; everything that layers and metrics keep is made by these methods.
_MAKERS = ((keras.Layer, "add_weight"), (keras.Metric, "add_variable"))
_MAX_LAYERS = 5000  # a second's work
_lock = threading.RLock()  # one replacement of them at a time


@contextlib.contextmanager
def weight_budget(shapes: Iterable[tuple]) -> Iterator[None]:
    """Within this context, as many and as large weights may be made as `shapes` has.

    A configuration is a few bytes that can ask for any amount of memory. What it may ask for is
    known: the file of weights is as long as its tensors. So a layer is stopped before it makes
    more, and layers without weights are counted. Other threads are not bound.

    Args:
        shapes: iterable of tuples of ints.

    Raises:
        ValueError: From the layer or metric that would exceed it.
    """
    sizes = [math.prod(shape) for shape in shapes]
    left = {"weights": len(sizes) + _SPARE_WEIGHTS, "numbers": sum(sizes) + _SPARE_NUMBERS}
    left["layers"] = min(10 * left["weights"], _MAX_LAYERS)
    owner = threading.get_ident()
    with _lock, contextlib.ExitStack() as restored:
        for kind, method in _MAKERS:
            _replace(restored, kind, method, _bounded(getattr(kind, method), left, owner))
        _replace(restored, keras.Layer, "__init__", _counted(keras.Layer.__init__, left, owner))
        yield


def _replace(restored, kind, method, by):
    restored.callback(setattr, kind, method, getattr(kind, method))
    setattr(kind, method, by)


def _counted(original, left, owner):
    # Keras reads a layer's arguments from this signature. It takes none by position.
    def init(self, **kwargs):
        if threading.get_ident() == owner:
            left["layers"] -= 1
            if left["layers"] < 0:
                raise ValueError("it would make many more layers than the file has weights")
        original(self, **kwargs)

    return init


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
