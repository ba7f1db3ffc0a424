"""Checks of arrays before the first step, the same on every backend."""

import math
from collections.abc import Callable
from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np

from keras_vae.arrays import blocks
from keras_vae.arrays import to_numpy
from keras_vae.checks import is_number
from keras_vae.typing import Array
from keras_vae.typing import Shape


def check_examples(
    x: np.ndarray,
    data_shape: Shape | None,
    name: str = "x",
    check_values: Callable[[np.ndarray, str], None] | None = None,
    allows_missing: bool = False,
) -> None:
    """Raises `ValueError` if `x` cannot be data of a model.

    Args:
        x: NumPy array (N, *data_shape).
        data_shape: Tuple, with `None` for an axis of any size, or `None` while unknown.
        name: The argument's name in messages.
        check_values: Function of an array and its name that raises `ValueError` if the array holds
            an invalid value. It is called on each finite block of x while the block is in the
            processor's cache, and on all of x for the error message.
        allows_missing: Whether NaN means "not observed", and is left to the likelihood.
    """
    if x.dtype.kind not in "buif":
        raise ValueError(
            f"`{name}` must hold numbers. Received: dtype {x.dtype}, shape {x.shape}. Convert it "
            "to a float32 array."
        )
    if x.ndim == 0 or len(x) == 0:
        raise ValueError(
            f"`{name}` is empty: it has shape {x.shape}. Give at least one example, along the "
            "first axis."
        )
    _check_shape(x, data_shape, name)
    for (block,) in blocks(x):
        if not (_has_no_infinity(block) if allows_missing else _is_finite(block)):
            _refuse_not_finite(x, name, allows_missing)
        if check_values is not None:
            try:
                check_values(block, name)
            except ValueError:
                check_values(x, name)
                raise


def check_sample_weight(sample_weight: Array, num_examples: int, name: str) -> Any:
    """Returns weights as a NumPy array (N,), or `None`.

    Raises:
        ValueError: If they are not one finite number of at least 0 for each example.
    """
    if sample_weight is None:
        return None
    weights = to_numpy(sample_weight, name)
    is_numeric = weights.dtype.kind in "buif"
    bad = weights[~((weights >= 0) & (weights < np.inf))] if is_numeric else weights
    if weights.shape != (num_examples,) or bad.size:
        found = f", with {bad.flat[0]} in it" if bad.size else ""
        raise ValueError(
            f"`{name}` must hold one finite number of at least 0 for each of the {num_examples} "
            f"examples. Received: shape {weights.shape}{found}."
        )
    return weights


def check_class_weight(class_weight: Any) -> dict[int, float]:
    """Returns `{label: weight}`.

    Raises:
        ValueError: If it is not a dict from integer labels to finite numbers of at least 0.
    """
    if isinstance(class_weight, Mapping) and all(
        isinstance(k, Integral) and is_number(w) and 0 <= w < np.inf
        for k, w in class_weight.items()
    ):
        return {int(k): float(w) for k, w in class_weight.items()}
    raise ValueError(
        "`class_weight` must be a dict from integer labels to finite weights of at least 0, such "
        f"as {{0: 1.0, 1: 2.5}}. Received: {class_weight!r}."
    )


def check_fraction(fraction: Any, num_examples: int) -> int:
    """Returns how many examples `validation_split` holds out.

    Raises:
        ValueError: If one of the two parts would be empty.
    """
    is_number = isinstance(fraction, int | float | np.number) and math.isfinite(fraction)
    held_out = round(num_examples * fraction) if is_number else 0
    if not 0 < held_out < num_examples:
        raise ValueError(
            f"`validation_split={fraction!r}` of {num_examples} examples leaves one of the two "
            "parts empty. Give a suitable fraction between 0 and 1, or `validation_data`."
        )
    return held_out


def _check_shape(x, data_shape, name):
    if data_shape is None:
        return
    fits = len(x.shape) == len(data_shape) + 1 and all(
        d is None or s == d for s, d in zip(x.shape[1:], data_shape, strict=True)
    )
    if not fits:
        expected = ", ".join("any" if d is None else str(d) for d in data_shape)
        raise ValueError(
            f"`{name}` has the wrong shape. Expected: (N, {expected}), the model's. Received: "
            f"{tuple(x.shape)}, dtype {x.dtype}. {_shape_advice(tuple(x.shape), data_shape)}"
        )


def _shape_advice(shape, expected):
    of_one, expected = shape[1:], tuple(expected)
    if shape == expected:
        return f"It looks like one example: add the batch axis with x[None], {(1, *shape)}."
    if len(expected) == 3 and of_one == expected[:2] and expected[2] == 1:
        return "The channel axis is missing: add it with x[..., None]."
    if len(shape) == len(expected) + 1 > 2 and of_one == (expected[-1], *expected[:-1]):
        axes = ", ".join(map(str, (0, *range(2, len(shape)), 1)))
        return (
            f"The channels come first, but must come last: x.transpose({axes}). Reshaping would "
            "mix up the values."
        )
    if len(expected) == 3 and of_one == (expected[1], expected[0], expected[2]):
        return (
            "Height and width are exchanged: x.transpose(0, 2, 1, 3). Reshaping would mix up the "
            "values."
        )
    if len(expected) == 3 and len(shape) == 4 and of_one[:2] == expected[:2]:
        return (
            f"The pictures have {shape[3]} channels, but the model takes {expected[2]}: convert "
            "them, or build the networks with this shape as `input_shape`."
        )
    if len(expected) == 3 and len(shape) == 4 and shape[1] <= 4 < min(shape[2:]):
        return (
            "The channels seem to come first: x.transpose(0, 2, 3, 1). Then resize the pictures, "
            "or build the networks with their shape as `input_shape`."
        )
    if len(shape) == 2 and None not in expected and shape[1] == math.prod(expected):
        sizes = ", ".join(map(str, expected))
        return f"The examples are flat: give them their shape with x.reshape(-1, {sizes})."
    if len(shape) > len(expected) + 1 and shape[-len(expected) :] == expected:
        sizes = ", ".join(map(str, expected))
        return f"There are too many axes before those of an example: x.reshape(-1, {sizes})."
    return "Build the networks with the shape of the data as `input_shape`."


def _is_finite(block):
    # NaN and infinity show in the extremes, which NumPy computes several times faster.
    return block.dtype.kind != "f" or bool(np.isfinite(block.min()) and np.isfinite(block.max()))


def _has_no_infinity(block):
    return block.dtype.kind != "f" or not np.isinf(block).any()


def _refuse_not_finite(x, name, allows_missing):
    bad = np.isinf(x) if allows_missing else ~np.isfinite(x)
    first = tuple(int(i) for i in np.unravel_index(np.argmax(bad), bad.shape))
    raise ValueError(
        f"`{name}` holds {int(bad.sum())} values that are not finite. Expected: finite numbers. "
        f"Received: {x[first]} at index {first}, the first of them, in shape {x.shape}, dtype "
        f"{x.dtype}. A single one would turn every weight into NaN: remove or repair these "
        "examples first."
    )
