"""Detection of optimizers whose update rule is exactly that of Adam."""

import functools
from typing import Any

import keras


def adams_of(optimizer: keras.optimizers.Optimizer) -> list[Any]:
    """Returns those of an optimizer and the optimizers inside it (for groups, or with loss scaling)
    whose updates are Adam's. Subclasses of Adam are excluded, as their updates may differ."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return [part for part in getattr(inner, "optimizers", [inner]) if is_adam(part)]


def is_adam(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether the updates of an optimizer are Adam's; steps before and after them may differ."""
    return type(optimizer) in _kinds() and not optimizer.amsgrad


@functools.cache
def _kinds():
    # On PyTorch `Adam()` creates an object of a subclass of `Adam`.
    return tuple(type(kind()) for kind in (keras.optimizers.Adam, keras.optimizers.AdamW))
