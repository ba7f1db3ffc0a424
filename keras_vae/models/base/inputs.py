"""Checks of what users hand to a model, made before the first step, the same on every backend."""

import types
from typing import Any

import keras
import numpy as np

from keras_vae.typing import Array
from keras_vae.typing import Shape


def is_array(x: Array) -> bool:
    """Whether `x` is an array or tensor of any framework, and not a data set of batches."""
    return hasattr(x, "shape") and hasattr(x, "dtype") and not hasattr(x, "element_spec")


def first_batch(data: Any, name: str = "x") -> tuple:
    """Returns `(batch, data)`: the first batch of a data set as NumPy arrays, and the data set
    with nothing taken from it.

    Args:
        data: `keras.utils.PyDataset`, `tf.data.Dataset`, torch `DataLoader`, any iterable, or a
            generator, which is consumed by the look and replaced by one that begins again.
        name: the argument's name in messages.

    Raises:
        ValueError: If it holds no batch, or is not a data set.
    """
    is_data_set = isinstance(data, keras.utils.PyDataset) or hasattr(data, "__iter__")
    if not is_data_set or isinstance(data, str | bytes | dict):
        raise ValueError(
            f"`{name}` must be an array, one example along its first axis, or a data set that "
            f"yields batches of them. Received: {type(data).__name__}."
        )
    try:
        if isinstance(data, keras.utils.PyDataset):
            batch = data[0]
        elif isinstance(data, types.GeneratorType):
            batch = next(data)
            data = _put_back(batch, data)
        else:
            batch = next(iter(data))
    except (StopIteration, IndexError):
        raise ValueError(f"`{name}` is empty: it yields no batch. Give at least one.") from None
    if hasattr(batch, "detach") and keras.config.backend() != "torch":
        raise ValueError(
            f"`{name}` yields bare torch tensors, which Keras takes on the torch backend only. Let "
            "it yield tuples (x,): wrap the examples in a torch.utils.data.TensorDataset."
        )
    batch = tuple(batch) if isinstance(batch, list) else batch
    return keras.tree.map_structure(to_numpy, batch), data


def to_numpy(x: Array) -> Any:
    """Returns any framework's array, or nested lists of numbers, as a NumPy array."""
    if x is None or isinstance(x, np.ndarray):
        return x
    if hasattr(x, "detach"):  # a torch tensor, whatever backend Keras runs on
        x = x.detach().cpu()
    return np.asarray(x)


def target(x: Array, y: Array, sample_weight: Array) -> Any:
    """Returns `y`, or zeros where arrays are weighed without one: Keras drops weights without
    targets on JAX and torch, and refuses them on TensorFlow.

    Raises:
        ValueError: `sample_weight` does not hold one number for each example of an array x.
    """
    if sample_weight is None or not is_array(x):
        return y
    weights = np.asarray(to_numpy(sample_weight), "float64")
    bad = weights[~((weights >= 0) & (weights < np.inf))]
    if weights.shape != (len(x),) or bad.size:
        raise ValueError(
            f"`sample_weight` must hold one finite number of at least 0 for each of the {len(x)} "
            f"examples. Received: shape {weights.shape}"
            f"{f', with {bad[0]} in it' if bad.size else ''}."
        )
    return np.zeros(len(x), "float32") if y is None else y


def split_off(x: Array, y: Array, sample_weight: Array, fraction: float) -> tuple:
    """Holds out the last `fraction` of arrays, as Keras' `validation_split` does.

    Returns:
        `(x, y, sample_weight)` of the rest, and of what is held out.

    Raises:
        ValueError: If `x` is not an array, or one of the two parts would be empty.
    """
    if not is_array(x):
        raise ValueError(
            f"`validation_split` divides arrays, and `x` is a {type(x).__name__}. Give "
            "`validation_data` instead."
        )
    is_number = isinstance(fraction, int | float | np.number)
    held_out = round(len(x) * fraction) if is_number else 0
    if not 0 < held_out < len(x):
        raise ValueError(
            f"`validation_split={fraction!r}` of {len(x)} examples leaves nothing for one of the "
            "two parts. Give a fraction between 0 and 1 that fits, or `validation_data`."
        )

    def parts(rows):
        return tuple(None if a is None else np.asarray(a)[rows] for a in (x, y, sample_weight))

    cut = len(x) - held_out
    return parts(slice(cut)), parts(slice(cut, None))


def check_examples(x: Array, data_shape: Shape | None, name: str = "x") -> None:
    """Raises `ValueError` where `x` cannot be data of a model.

    Args:
        x: NumPy array (N, *data_shape).
        data_shape: tuple with `None` where any size will do, or `None` while unknown.
        name: the argument's name in messages.
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
    _check_finite(x, name)


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
            f"{tuple(x.shape)}, dtype {x.dtype}. {_shape_advice(x.shape, data_shape)}"
        )


def _shape_advice(shape, data_shape):
    if tuple(shape) == tuple(data_shape):
        return f"It looks like one example: add the batch axis with x[None], {(1, *shape)}."
    if len(data_shape) == 3 and tuple(shape[1:]) == tuple(data_shape[:2]) and data_shape[2] == 1:
        return "The channel axis is missing: add it with x[..., None]."
    if len(data_shape) == 3 and len(shape) == 4 and tuple(shape[1:3]) == tuple(data_shape[:2]):
        return (
            f"The pictures have {shape[3]} channels and the model takes {data_shape[2]}: convert "
            "them, or build the networks with this shape as `input_shape`."
        )
    return "Reshape the data, or build the networks with their shape as `input_shape`."


def _check_finite(x, name):
    if x.dtype.kind != "f" or np.isfinite(np.sum(x, dtype="float64")):
        return  # the sum of finite float32 numbers is finite in float64
    bad = ~np.isfinite(x)
    if not bad.any():
        return
    first = tuple(int(i) for i in np.unravel_index(np.argmax(bad), bad.shape))
    raise ValueError(
        f"`{name}` holds {int(bad.sum())} values that are not finite, the first ({x[first]}) at "
        f"index {first}, in shape {x.shape}, dtype {x.dtype}. One of them would turn every weight "
        "into NaN: remove or repair these examples first."
    )


def _put_back(first, rest):
    yield first
    yield from rest
