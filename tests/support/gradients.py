"""Gradients on any backend, as NumPy arrays."""

import keras
import numpy as np
from keras import ops


def value_and_gradients(function, *arrays):
    """Returns the value of the sum of `function(*arrays)` and its gradient for each array."""
    backend = keras.config.backend()
    tensors = [ops.convert_to_tensor(np.asarray(a, "float32")) for a in arrays]

    def total(*parameters):
        return ops.sum(function(*parameters))

    if backend == "jax":
        import jax

        value, gradients = jax.value_and_grad(total, argnums=tuple(range(len(tensors))))(*tensors)
    elif backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = total(*tensors)
        gradients = tape.gradient(value, tensors)
    else:
        import torch

        tensors = [t.clone().requires_grad_(True) for t in tensors]
        value = total(*tensors)
        gradients = torch.autograd.grad(value, tensors)
    return float(ops.convert_to_numpy(value)), [ops.convert_to_numpy(g) for g in gradients]


def gradients_of_weights(function, variables):
    """Returns the gradients of the sum of `function()`, one for each variable it reads."""

    def with_weights(*values):
        with keras.StatelessScope(list(zip(variables, values, strict=True))):
            return function()

    return value_and_gradients(with_weights, *[ops.convert_to_numpy(v) for v in variables])[1]
