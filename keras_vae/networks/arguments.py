"""Checks of the arguments of networks."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import keras

from keras_vae.checks import check_count
from keras_vae.typing import Shape


def check_counts(argument: str, values: Any) -> tuple[int, ...]:
    """Returns `values` as a tuple of positive ints, one per layer (or stage).

    Raises:
        ValueError: If `values` is not a list or tuple of positive integers.
    """
    if not isinstance(values, list | tuple):
        raise ValueError(
            f"`{argument}` must be a tuple of integers, one per layer. Received: {values!r}. "
            f"For a single layer, use ({values!r},)."
        )
    return tuple(check_count(f"{argument}[{i}]", value) for i, value in enumerate(values))


def check_stages(argument: str, values: Any) -> tuple[int, ...]:
    """Checks counts as `check_counts` does, and that there is at least one.

    Raises:
        ValueError: If `values` is not a list or tuple of positive integers, or is empty.
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
    """Returns the shape of one example as a tuple of ints.

    Raises:
        ValueError: If `shape` is not a non-empty list or tuple of positive integers.
    """
    expected = f"`{argument}` must be the shape of one example, such as (H, W, C) or (N,)"
    if not isinstance(shape, list | tuple):
        raise ValueError(f"{expected}. Received: {shape!r}. For vectors of N numbers, use (N,).")
    shape = tuple(shape)
    if not shape or any(not _is_size(n) for n in shape):
        raise ValueError(
            f"{expected}, with at least one axis and positive integer sizes. Received: {shape}. "
            "The network is built at once, so no size can be left unknown; networks with latent "
            "maps, such as ConvMapEncoder, take pictures of any size as (None, None, C)."
        )
    return tuple(int(n) for n in shape)


def _is_size(n):
    return isinstance(n, Integral) and not isinstance(n, bool) and n >= 1


def check_picture_shape(argument: str, shape: Any) -> Shape:
    """Checks a shape as `check_shape` does, and that it is (H, W, C).

    Raises:
        ValueError: If `shape` is not a list or tuple of three positive integers.
    """
    shape = check_shape(argument, shape)
    expected = f"`{argument}` must be the shape of one image, (H, W, C)"
    if len(shape) == 1:
        raise ValueError(
            f"{expected}. Received: the flat vector {shape}. A convolution needs rows and columns: "
            f"use MLPEncoder and MLPDecoder for vectors, or reshape the data to (N, H, W, C)."
        )
    if len(shape) == 2:
        raise ValueError(f"{expected}. Received: {shape}. {missing_channels(shape)}")
    if len(shape) > 3:
        raise ValueError(
            f"{expected}. Received: {shape}, which has {len(shape)} axes. Omit the batch axis."
        )
    return shape


def check_map_shape(argument: str, shape: Any) -> tuple[int | None, ...]:
    """Checks a shape as `check_picture_shape` does, or that it is (None, None, C): of any size.

    Raises:
        ValueError: If `shape` is neither (H, W, C) nor (None, None, C).
    """
    if isinstance(shape, list | tuple) and len(shape) == 3 and tuple(shape[:2]) == (None, None):
        return (None, None, *check_shape(argument, shape[2:]))
    return check_picture_shape(argument, shape)


def missing_channels(size: tuple[int, ...]) -> str:
    """Returns the advice for an image shape (H, W)."""
    return f"The channel axis is missing: use {(*size, 1)}."


def check_condition_shape(argument: str, shape: Any) -> Shape | None:
    """Checks the shape of a condition as `check_shape` does; `None` means no condition."""
    return None if shape is None else check_shape(argument, shape)


def check_num_outputs(argument: str, value: Any) -> int:
    """Returns an encoder's number of outputs as an int.

    Raises:
        ValueError: If `value` is not 1, 2 or 3.
    """
    if check_count(argument, value) > 3:
        raise ValueError(
            f"`{argument}` must be 1 (a single tensor z), 2 (z_mean, z_log_var) or 3 (z_mean, "
            f"z_log_var, features). Received: {value!r}. The size of z is `latent_dim`."
        )
    return int(value)


def serialized_activation(argument: str, value: Any) -> str | dict[str, Any]:
    """Returns the config of an activation, given as a string or a callable."""
    function = keras.activations.get(value)
    # A name is its own config. Keras would import TensorFlow, if installed, to serialize it.
    return value if isinstance(value, str) else keras.activations.serialize(function)


CHECKS: dict[str, Callable[[str, Any], Any]] = {  # argument of any network -> its check
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
MAP_CHECKS = PICTURE_CHECKS | {"input_shape": check_map_shape, "output_shape": check_map_shape}


def checked(
    arguments: dict[str, Any], checks: dict[str, Callable[[str, Any], Any]] = CHECKS
) -> dict[str, Any]:
    """Returns a network's config: its arguments, each passed through the check of its name."""
    return {name: checks[name](name, value) for name, value in arguments.items()}
