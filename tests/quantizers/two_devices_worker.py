"""Trains quantizers on two devices that share each batch, and on one alone."""

import keras
import numpy as np
from quantizers import QUANTIZERS
from quantizers import TinyAutoencoder
from quantizers import data
from states import largest_difference
from states import state

from keras_vae.quantizers import GradientUpdate
from keras_vae.quantizers import LookupFreeQuantizer
from keras_vae.quantizers import ResidualQuantizer
from keras_vae.quantizers import VectorQuantizer

FIXED = {"initialization": "uniform", "revival": None}
# Nothing drawn at random, so that the number of devices can make no difference.
WITHOUT_NOISE = {
    "vector": lambda: VectorQuantizer(5, **FIXED),
    "gradient_vector": lambda: VectorQuantizer(5, update=GradientUpdate(), **FIXED),
    "residual_vector": lambda: ResidualQuantizer([VectorQuantizer(5, **FIXED) for _ in range(2)]),
    "lookup_free": lambda: LookupFreeQuantizer(4),
}
# Codes that begin on rows of the batch, and start again on others.
PLACED = ("vector", "gradient_vector", "grouped_vector")


def model_of(make):
    keras.utils.set_random_seed(0)
    model = TinyAutoencoder(make(), seed=0)
    model.compile(keras.optimizers.SGD(1e-2))
    return model


def trained(model):
    model.fit(data(16), batch_size=8, epochs=2, shuffle=False, verbose=0)
    return state(model)


def on_tensorflow():
    import tensorflow as tf

    (processor,) = tf.config.list_physical_devices("CPU")
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(processor, halves)
    devices = [device.name for device in tf.config.list_logical_devices("CPU")]
    strategy = tf.distribute.MirroredStrategy(devices)
    for name, make in WITHOUT_NOISE.items():
        expected = trained(model_of(make))
        with strategy.scope():
            shared = model_of(make)
        assert largest_difference(trained(shared), expected) < 1e-5, name
    for name in PLACED:
        with strategy.scope():
            shared = model_of(QUANTIZERS[name])
        trained(shared)
        for variable in shared.quantizer.variables:
            first, second = (copy.numpy() for copy in variable.value.values)
            assert np.array_equal(first, second), (name, variable.path)


def on_jax():
    import jax

    assert len(jax.devices()) == 2
    placed = {name: QUANTIZERS[name] for name in PLACED}
    for name, make in {**WITHOUT_NOISE, **placed}.items():
        keras.distribution.set_distribution(None)
        expected = trained(model_of(make))
        shared = keras.distribution.DataParallel(auto_shard_dataset=False)
        keras.distribution.set_distribution(shared)
        assert largest_difference(trained(model_of(make)), expected) < 1e-5, name


if __name__ == "__main__":
    {"tensorflow": on_tensorflow, "jax": on_jax}[keras.config.backend()]()
