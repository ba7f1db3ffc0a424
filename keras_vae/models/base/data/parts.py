"""The parts of combined input: x, y and the weights in a tuple, a pair or a dict."""

from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import numpy as np

from keras_vae.arrays import is_array

X_KEYS = ("x", "image", "images", "input", "inputs", "data", "features", "pixel_values")
Y_KEYS = ("y", "label", "labels", "condition", "conditions", "class", "target", "targets")
WEIGHT_KEYS = ("sample_weight", "weight", "weights")


class Parts(NamedTuple):
    """x, y and the weights of the examples: arrays, tensors or `None`."""

    x: Any
    y: Any = None
    sample_weight: Any = None

    @property
    def given(self) -> tuple:
        """The batch in Keras' form: (x,), (x, y) or (x, y, sample_weight)."""
        if self.sample_weight is not None:
            # Keras drops weights without targets; passing x as the target changes nothing.
            return (self.x, self.x if self.y is None else self.y, self.sample_weight)
        return (self.x,) if self.y is None else (self.x, self.y)


def of_batch(batch: Any, takes_pairs: bool, name: str = "x") -> Parts:
    """Returns the parts of an element of a data set.

    Args:
        batch: x, (x,), (x, y), (x, y, sample_weight), or a dict of these. If `takes_pairs`, x may
            be `[x, y]`.
        takes_pairs: Whether the model takes a condition or target with each example.
        name: The argument's name in messages.

    Raises:
        ValueError: If it is none of these.
    """
    if not isinstance(batch, list | tuple):
        return of_x(batch, takes_pairs, name)
    if not 1 <= len(batch) <= 3:
        raise ValueError(
            f"`{name}` yields tuples of {len(batch)}. Expected: x, (x,), (x, y) or (x, y, "
            "sample_weight)."
        )
    x, *others = batch
    parts = of_x(x, takes_pairs, name)
    return parts._replace(**_given(others))


def of_x(x: Any, takes_pairs: bool, name: str = "x", data_shape: tuple | None = None) -> Parts:
    """Returns the parts of an `x`, which may be a dict of all of them, or a list of a pair."""
    if isinstance(x, Mapping):
        return _of_dict(x, takes_pairs, name)
    if not isinstance(x, list | tuple):
        return Parts(x)
    if takes_pairs and len(x) == 2 and not _are_examples(x, data_shape):
        return Parts(*x)
    if len(x) == 1 and (isinstance(x, tuple) or isinstance(x[0], Mapping)):
        return of_x(x[0], takes_pairs, name, data_shape)
    return Parts(x)


def _given(others):
    names = ("y", "sample_weight")
    return {k: v for k, v in zip(names, others, strict=False) if v is not None}


def _of_dict(parts, takes_pairs, name):
    keys = [key for key in X_KEYS if key in parts] or (list(parts) if len(parts) == 1 else [])
    labels = [key for key in Y_KEYS if key in parts]
    if len(keys) != 1 or (takes_pairs and len(labels) > 1):
        raise ValueError(
            f"`{name}` is a dict, and it is unclear which of its entries are the "
            f"data{' and the conditions' if takes_pairs else ''}. Expected: one of "
            f"{', '.join(map(repr, X_KEYS))}{_also(takes_pairs)}. Received: the keys "
            f"{', '.join(map(repr, parts)) or 'none'}. Give arrays, or a dataset of (x, y), e.g. "
            "with `dataset.map(lambda d: (d['x'], d['y']))`."
        )
    weights = [key for key in WEIGHT_KEYS if key in parts]
    y = parts[labels[0]] if takes_pairs and labels else None
    return Parts(parts[keys[0]], y, parts[weights[0]] if len(weights) == 1 else None)


def _also(takes_pairs):
    return f", and at most one of {', '.join(map(repr, Y_KEYS))}" if takes_pairs else ""


def _are_examples(x, data_shape):
    """Whether a list of two holds two examples, rather than all examples and their labels."""
    if data_shape is None:
        return not any(is_array(part) for part in x)
    return all(_shape(part) == tuple(data_shape) for part in x)


def _shape(x):
    try:
        return tuple(np.shape(x))
    except ValueError:  # ragged
        return None
