"""What the devices of this process compute exactly."""

import functools

import keras


def products_are_exact():
    """Whether float32 matrices are multiplied in float32: JAX and TensorFlow use TF32 on GPUs."""
    return keras.config.backend() == "torch" or on_cpu()


@functools.cache
def on_cpu():
    return all(device.startswith("cpu") for device in keras.distribution.list_devices())
