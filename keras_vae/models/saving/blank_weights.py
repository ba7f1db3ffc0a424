"""Weights that wait for those of a file."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

_lock = threading.RLock()  # one replacement at a time


@contextlib.contextmanager
def blank_weights() -> Iterator[None]:
    """Within this context layers make their weights of zeros, whatever their initializers.

    For models all of whose weights are then read from a file. Drawing them first takes longer than
    reading them: on JAX each shape is a program of its own, to be compiled. Other threads are not
    bound, nor are metrics and the state of random streams.
    """
    owner = threading.get_ident()
    with _lock:
        original = keras.Layer.add_weight

        def add_weight(self, shape=None, initializer=None, *args, **kwargs):
            is_ours = threading.get_ident() == owner
            return original(self, shape, _zeros if is_ours else initializer, *args, **kwargs)

        keras.Layer.add_weight = add_weight
        try:
            yield
        finally:
            keras.Layer.add_weight = original


def _zeros(shape: tuple[int, ...], dtype: Any = None) -> Any:
    # From NumPy: what a backend makes itself is compiled too.
    return ops.convert_to_tensor(np.zeros(shape, "float32"), dtype)
