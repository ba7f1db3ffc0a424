"""Trains on two logical processors under `tf.distribute.MirroredStrategy`, and on one without."""

import families
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from states import state

from keras_vae import Autoencoder
from keras_vae import GaussianLikelihood

X = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")


def split_processor():
    (processor,) = tf.config.list_physical_devices("CPU")
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(processor, halves)
    return [device.name for device in tf.config.list_logical_devices("CPU")]


def autoencoder():
    """A model without noise, and with a penalty that must not count twice."""
    keras.utils.set_random_seed(0)
    x = keras.Input((4,))
    encoder = keras.Model(x, layers.Dense(3, kernel_regularizer=keras.regularizers.L2(0.1))(x))
    _, decoder = families.mlp((4,))
    model = Autoencoder(encoder, decoder, GaussianLikelihood(), seed=0)
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9))
    return model


def trained(model):
    model.evaluate(X, batch_size=8, verbose=0)
    logs = model.fit(X, batch_size=8, epochs=3, shuffle=False, validation_data=X, verbose=0)
    return {**state(model), **{k: np.array(v) for k, v in logs.history.items()}}


def main():
    strategy = tf.distribute.MirroredStrategy(split_processor())
    expected = trained(autoencoder())
    with strategy.scope():
        model = autoencoder()
    found = trained(model)
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-5, atol=1e-6, err_msg=key)

    family = families.BY_NAME["vae"]
    with strategy.scope():
        vae = family.compiled()
    history = vae.fit(family.data(), batch_size=4, epochs=2, verbose=0).history
    assert np.isfinite(list(history.values())).all()

    @tf.function
    def draw():
        return strategy.run(lambda: keras.random.normal((4,), seed=vae.noise.training_stream))

    a, b = strategy.experimental_local_results(draw())
    assert np.abs(a - b).max() > 1e-3  # each replica's share of a batch has noise of its own


if __name__ == "__main__":
    main()
