"""How a network takes a condition c: as a second input next to x or z."""

import math

import keras

from keras_vae.layers.everywhere import Everywhere
from keras_vae.networks.arguments import missing_channels
from keras_vae.networks.trunks import flatten
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


def flat_inputs(shape: Shape, condition_shape: Shape | None) -> tuple[list[Tensor], Tensor]:
    """Returns the inputs of a dense encoder, and x and c flattened and joined, (B, N + M)."""
    inputs = x, *condition = _inputs("x", shape, condition_shape)
    return inputs, _append_flat(flatten(x), condition)


def latent_inputs(latent_dim: int, condition_shape: Shape | None) -> tuple[list[Tensor], Tensor]:
    """Returns the inputs of a decoder, and z and the flattened c joined, (B, latent_dim + M)."""
    inputs = z, *condition = _inputs("z", (latent_dim,), condition_shape)
    return inputs, _append_flat(z, condition)


def picture_inputs(shape: Shape, condition_shape: Shape | None) -> tuple[list[Tensor], Tensor]:
    """Returns the inputs of a convolutional network, and x with c appended as channels.

    An image of the height and width of x is used as is; a dense layer turns any other condition
    into one channel. If height and width are unknown, every element of the condition becomes a
    channel that is constant over all pixels.

    Raises:
        ValueError: If the condition is such an image without a channel axis.
    """
    inputs = x, *condition = _inputs("x", shape, condition_shape)
    size = x.shape[1:3]
    if condition_shape == size:
        raise ValueError(
            f"`condition_shape` must be (H, W, C) for an image of the size of x. Received: "
            f"{condition_shape}. {missing_channels(size)}"
        )
    if condition and condition[0].shape[1:-1] != size:
        flat = flatten(condition[0], name="condition_flat")
        if None in size:
            return inputs, _append(x, [Everywhere(name="condition_map")([x, flat])])
        dense = keras.layers.Dense(math.prod(size), name="condition_map")
        condition = [keras.layers.Reshape((*size, 1), name="condition_reshape")(dense(flat))]
    return inputs, _append(x, condition)


def _inputs(name, shape, condition_shape):
    """Returns `[x]` with x (B, *shape) named `name`, or `[x, c]` if there is a condition."""
    inputs = [keras.Input(shape, name=name)]
    if condition_shape is not None:
        inputs.append(keras.Input(condition_shape, name="condition", dtype="float32"))
    return inputs


def _append_flat(x, condition):
    return _append(x, [flatten(c, name="condition_flat") for c in condition])


def _append(x, condition):
    """Returns x and the condition joined along the last axis; x itself without a condition."""
    concatenate = keras.layers.Concatenate(name="with_condition")
    return concatenate([x, *condition]) if condition else x
