"""Which optimizers make the updates of Adam, and of no other rule."""

import functools
from typing import Any

import keras


def adams_of(optimizer: keras.optimizers.Optimizer) -> list[Any]:
    """Returns an optimizer, or those that it holds, of groups or with a scale of the loss, as far
    as their updates are Adam's. Classes derived from Adam may have others."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return [part for part in getattr(inner, "optimizers", [inner]) if is_adam(part)]


def is_adam(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether the updates of an optimizer are Adam's; what it does before and after may differ."""
    return type(optimizer) in _kinds() and not optimizer.amsgrad


@functools.cache
def _kinds():
    # On PyTorch `Adam()` makes an object of a class derived from `Adam`.
    return tuple(type(kind()) for kind in (keras.optimizers.Adam, keras.optimizers.AdamW))
