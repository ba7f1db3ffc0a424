"""Properties of this process' devices: exactness of products, and the cost of reading values."""

import contextlib
import contextvars
import functools
from collections.abc import Callable
from collections.abc import Iterator

import keras

_asked: Callable[[], bool] | None = None


def products_are_exact() -> bool:
    """Returns whether float32 matrices are multiplied in float32.

    On GPUs, JAX and TensorFlow round the factors to TF32. PyTorch does so only if configured to.
    """
    return on_cpu() if _asked is None else _asked()


def are_exact_where(asked: Callable[[], bool]) -> None:
    """Makes `products_are_exact` call a function of the backend."""
    global _asked
    _asked = asked


@functools.cache
def on_cpu() -> bool:
    """Returns whether every device that Keras sees is a CPU."""
    return all(device.startswith("cpu") for device in keras.distribution.list_devices())


_NUMBERS_ARE_AT_HAND = contextvars.ContextVar("keras_vae_numbers_are_at_hand", default=False)


def numbers_are_at_hand() -> bool:
    """Returns whether the value of a tensor can be read here at no cost.

    This is the case in a step that PyTorch runs eagerly on a CPU. There are no values while
    operations are traced, and on an accelerator reading them would have to wait.
    """
    return _NUMBERS_ARE_AT_HAND.get()


@contextlib.contextmanager
def with_numbers_at_hand() -> Iterator[None]:
    """Within this context `numbers_are_at_hand()` holds."""
    token = _NUMBERS_ARE_AT_HAND.set(True)
    try:
        yield
    finally:
        _NUMBERS_ARE_AT_HAND.reset(token)
