"""Weights created as zeros because a file will replace them."""

import contextlib
import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

FOLLOW = "weights_follow"  # marks a config whose weights are stored with it
_follow = contextvars.ContextVar("keras_vae_weights_follow", default=False)
_lock = threading.RLock()  # one replacement at a time


@contextlib.contextmanager
def weights_follow() -> Iterator[None]:
    """Within this context configs are marked as having their weights stored with them."""
    token = _follow.set(True)
    try:
        yield
    finally:
        _follow.reset(token)


def noted() -> dict[str, bool]:
    """Returns the mark for a config: empty outside of `weights_follow`."""
    return {FOLLOW: True} if _follow.get() else {}


def of_config(config: dict) -> contextlib.AbstractContextManager:
    """Removes the mark from a config and returns the context in which to create its model."""
    return blank_weights() if config.pop(FOLLOW, False) else contextlib.nullcontext()


@contextlib.contextmanager
def blank_weights() -> Iterator[None]:
    """Within this context layers initialise their weights to zeros, whatever their initializers.

    For models all of whose weights are then read from a file. Drawing them first would take longer
    than reading them: JAX compiles a program for each shape. Other threads are not affected, nor
    are metrics and the state of random streams.
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
    # From NumPy, because creation by a backend may be compiled too.
    return ops.convert_to_tensor(np.zeros(shape, "float32"), dtype)
