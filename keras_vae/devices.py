"""What the devices of this process compute exactly."""

import functools

import keras


def products_are_exact() -> bool:
    """Returns whether float32 matrices are multiplied in float32.

    On GPUs, JAX and TensorFlow round the factors to TF32.
    """
    return keras.config.backend() == "torch" or on_cpu()


@functools.cache
def on_cpu() -> bool:
    """Returns whether every device that Keras sees is a CPU."""
    return all(device.startswith("cpu") for device in keras.distribution.list_devices())
