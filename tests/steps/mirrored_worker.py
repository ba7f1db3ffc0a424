"""Trains on two logical processors under `tf.distribute.MirroredStrategy`."""

import sys

import keras
import numpy as np
import pytest
import shared_training
import tensorflow as tf


def split_processor():
    (processor,) = tf.config.list_physical_devices("CPU")
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(processor, halves)
    return [device.name for device in tf.config.list_logical_devices("CPU")]


def main(path):
    strategy = tf.distribute.MirroredStrategy(split_processor())
    outside, x = shared_training.compiled("vae"), shared_training.data_of("vae")
    with strategy.scope():
        shared_training.write(path, shared_training.EXACT)
        vae = shared_training.compiled("vae")
        with pytest.raises(RuntimeError, match="outside of the scope of its strategy"):
            outside.fit(x)
    alone = keras.ops.convert_to_numpy(vae.call(keras.ops.convert_to_tensor(x)))
    np.testing.assert_allclose(vae.predict(x, batch_size=7, verbose=0), alone, atol=1e-6)

    @tf.function
    def draw():
        return strategy.run(lambda: keras.random.normal((4,), seed=vae.noise.training_stream))

    a, b = strategy.experimental_local_results(draw())
    assert np.abs(a - b).max() > 1e-3  # each replica's share of a batch has noise of its own


if __name__ == "__main__":
    main(sys.argv[1])
