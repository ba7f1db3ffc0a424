"""Checks of the arguments of networks."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import keras

from keras_vae.checks import check_count
from keras_vae.typing import Shape


def check_counts(argument: str, values: Any) -> tuple[int, ...]:
    """Returns `values` as a tuple of ints of at least 1, one for each layer (or stage).

    Raises:
        ValueError: not a list or tuple, or an element that is not such an integer.
    """
    if not isinstance(values, list | tuple):
        raise ValueError(
            f"`{argument}` must be a tuple of integers, one for each layer. Received: {values!r}. "
            f"For a single layer, use ({values!r},)."
        )
    return tuple(check_count(f"{argument}[{i}]", value) for i, value in enumerate(values))


def check_stages(argument: str, values: Any) -> tuple[int, ...]:
    """`check_counts` for convolutional networks, which need at least one stage.

    Raises:
        ValueError: as `check_counts`, and for ().
    """
    values = check_counts(argument, values)
    if not values:
        raise ValueError(
            f"`{argument}` must have at least one stage. Received: (). Each stage halves (encoder) "
            f"or doubles (decoder) height and width: use (32,), for example. For a network without "
            f"stages, use MLPEncoder or MLPDecoder with hidden_units=()."
        )
    return values


def check_shape(argument: str, shape: Any) -> Shape:
    """Returns the shape of one example as a tuple of ints, one for each of its axes.

    Raises:
        ValueError: not a list or tuple, no axis, or a size that is not an integer of at least 1.
    """
    expected = f"`{argument}` must be the shape of one example, such as (H, W, C) or (N,)"
    if not isinstance(shape, list | tuple):
        raise ValueError(f"{expected}. Received: {shape!r}. For vectors of N numbers, use (N,).")
    shape = tuple(shape)
    if not shape or any(not _is_size(n) for n in shape):
        raise ValueError(
            f"{expected}, with at least one axis, and every size an integer of at least 1. "
            f"Received: {shape}. The network is built at once, so no size can be left open."
        )
    return tuple(int(n) for n in shape)


def _is_size(n):
    return isinstance(n, Integral) and not isinstance(n, bool) and n >= 1


def check_picture_shape(argument: str, shape: Any) -> Shape:
    """`check_shape` for networks of convolutions, which need rows, columns and channels.

    Raises:
        ValueError: as `check_shape`, and for every shape but (H, W, C).
    """
    shape = check_shape(argument, shape)
    expected = f"`{argument}` must be the shape of one picture, (H, W, C)"
    if len(shape) == 1:
        raise ValueError(
            f"{expected}. Received: the flat vector {shape}. A convolution needs rows and columns: "
            f"use MLPEncoder and MLPDecoder for vectors, or reshape the data to (N, H, W, C)."
        )
    if len(shape) == 2:
        raise ValueError(f"{expected}. Received: {shape}. {missing_channels(shape)}")
    if len(shape) > 3:
        raise ValueError(
            f"{expected}. Received: {shape}, which has {len(shape)} axes. Leave out the batch axis."
        )
    return shape


def missing_channels(size: tuple[int, ...]) -> str:
    """What to do about the shape (H, W) of a picture."""
    return f"The channel axis is missing: use {(*size, 1)}."


def check_condition_shape(argument: str, shape: Any) -> Shape | None:
    """`check_shape` for the shape of a condition, which is `None` where there is no condition."""
    return None if shape is None else check_shape(argument, shape)


def check_num_outputs(argument: str, value: Any) -> int:
    """Returns the number of an encoder's outputs, 1, 2 or 3.

    Raises:
        ValueError: anything else.
    """
    if check_count(argument, value) > 3:
        raise ValueError(
            f"`{argument}` must be 1 (a single tensor z), 2 (z_mean, z_log_var) or 3 (z_mean, "
            f"z_log_var, features). Received: {value!r}. The size of z is `latent_dim`."
        )
    return int(value)


def serialized_activation(argument: str, value: Any) -> str | dict[str, Any]:
    """Returns the config of an activation, a name or a function."""
    function = keras.activations.get(value)
    # A name is its config. To serialise anything Keras imports TensorFlow, where that is installed.
    return value if isinstance(value, str) else keras.activations.serialize(function)


CHECKS: dict[str, Callable[[str, Any], Any]] = {  # argument of any network -> what checks it
    "input_shape": check_shape,
    "output_shape": check_shape,
    "condition_shape": check_condition_shape,
    "latent_dim": check_count,
    "hidden_units": check_counts,
    "filters": check_stages,
    "num_blocks": check_count,
    "kernel_size": check_count,
    "activation": serialized_activation,
    "num_outputs": check_num_outputs,
    "num_parameters": check_count,
}
PICTURE_CHECKS = CHECKS | {
    "input_shape": check_picture_shape,
    "output_shape": check_picture_shape,
}


def checked(
    arguments: dict[str, Any], checks: dict[str, Callable[[str, Any], Any]] = CHECKS
) -> dict[str, Any]:
    """Returns a network's config: its arguments, each checked as `checks` says for its name."""
    return {name: checks[name](name, value) for name, value in arguments.items()}
