"""A bound on the weights that a configuration may make: those of the file it came with."""

import contextlib
import math
import threading

import keras

# A layer may make a few numbers that are not saved.
_SPARE_WEIGHTS = 100
_SPARE_NUMBERS = 2**20
_lock = threading.RLock()  # one replacement of `add_weight` at a time


@contextlib.contextmanager
def weight_budget(shapes):
    """Within this context, layers may make as many weights as `shapes` has, and no larger ones.

    A configuration is a few bytes that can ask for any amount of memory. What it may ask for is
    known: the file of weights is as long as its tensors. So a layer is stopped before it makes
    more. Other threads are not bound.

    Args:
        shapes: iterable of tuples of ints.

    Raises:
        ValueError: from the layer that would exceed it.
    """
    sizes = [math.prod(shape) for shape in shapes]
    left = {"weights": len(sizes) + _SPARE_WEIGHTS, "numbers": sum(sizes) + _SPARE_NUMBERS}
    owner = threading.get_ident()
    with _lock:
        add_weight = keras.Layer.add_weight

        def bounded(layer, shape=None, *args, **kwargs):
            if threading.get_ident() == owner:
                _spend(left, shape, layer.name)
            return add_weight(layer, shape, *args, **kwargs)

        # Keras has no hook for it, and every layer makes its weights through this method.
        keras.Layer.add_weight = bounded
        try:
            yield
        finally:
            keras.Layer.add_weight = add_weight


def _spend(left, shape, layer_name):
    axes = () if shape is None else shape
    left["weights"] -= 1
    left["numbers"] -= math.prod(int(n) for n in axes)
    if min(left.values()) < 0:
        raise ValueError(
            f"the layer {layer_name[:100]!r} would make a weight of shape {tuple(axes)}, and the "
            "file of weights does not hold that many"
        )
