"""How a network takes a condition c: as a second input beside x or z."""

import math

import keras

from keras_vae.networks.network import flatten


def _inputs(name, shape, condition_shape):
    """Returns `[x]` with x (B, *shape) called `name`, or `[x, c]` where there is a condition."""
    inputs = [keras.Input(shape, name=name)]
    if condition_shape is not None:
        inputs.append(keras.Input(condition_shape, name="condition", dtype="float32"))
    return inputs


def flat_inputs(shape, condition_shape, dtype):
    """Returns inputs and start of an encoder of dense layers: x flat and c flat, (B, N + M)."""
    inputs = x, *condition = _inputs("x", shape, condition_shape)
    return inputs, _append_flat(flatten(x, dtype), condition, dtype)


def latent_inputs(latent_dim, condition_shape, dtype):
    """Returns inputs and start of a decoder: z and c flat, (B, latent_dim + M)."""
    inputs = z, *condition = _inputs("z", (latent_dim,), condition_shape)
    return inputs, _append_flat(z, condition, dtype)


def picture_inputs(shape, condition_shape, dtype):
    """Returns inputs and start of an encoder of convolutions: c as channels behind those of x.

    A picture of the height and width of x is taken as it is; of any other condition a dense layer
    makes one channel.
    """
    inputs = x, *condition = _inputs("x", shape, condition_shape)
    size = x.shape[1:3]
    if condition and condition[0].shape[1:-1] != size:
        flat = flatten(condition[0], dtype, name="condition_flat")
        dense = keras.layers.Dense(math.prod(size), dtype=dtype, name="condition_map")
        reshape = keras.layers.Reshape((*size, 1), dtype=dtype, name="condition_reshape")
        condition = [reshape(dense(flat))]
    return inputs, _append(x, condition, dtype)


def _append_flat(x, condition, dtype):
    return _append(x, [flatten(c, dtype, name="condition_flat") for c in condition], dtype)


def _append(x, condition, dtype):
    """x followed by the condition along the last axis; x itself where there is none."""
    concatenate = keras.layers.Concatenate(dtype=dtype, name="with_condition")
    return concatenate([x, *condition]) if condition else x
