"""Weights that wait for those of a file."""

import contextlib
import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

FOLLOW = "weights_follow"  # in a config: its weights lie beside it
_follow = contextvars.ContextVar("keras_vae_weights_follow", default=False)
_lock = threading.RLock()  # one replacement at a time


@contextlib.contextmanager
def weights_follow() -> Iterator[None]:
    """Within this context configs are written of models whose weights are written beside them."""
    token = _follow.set(True)
    try:
        yield
    finally:
        _follow.reset(token)


def noted() -> dict[str, bool]:
    """Returns what a config says of weights beside it: nothing outside of `weights_follow`."""
    return {FOLLOW: True} if _follow.get() else {}


def of_config(config: dict) -> contextlib.AbstractContextManager:
    """Returns the context in which a model is made of a config, from which the note is taken."""
    return blank_weights() if config.pop(FOLLOW, False) else contextlib.nullcontext()


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
