import keras
import numpy as np
import pytest
from keras import ops


def _value_and_gradients(function, *arrays):
    """Value of the sum of `function(*arrays)` and its gradients, as NumPy, on any backend."""
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
        tensors = [t.clone().requires_grad_(True) for t in tensors]
        value = total(*tensors)
        import torch

        gradients = torch.autograd.grad(value, tensors)
    return float(ops.convert_to_numpy(value)), [ops.convert_to_numpy(g) for g in gradients]


@pytest.fixture
def value_and_gradients():
    return _value_and_gradients
