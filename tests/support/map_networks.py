"""Small networks between pictures of any size and maps."""

import keras
import numpy as np

import keras_vae

SHAPE = (None, None, 2)
RNG = np.random.default_rng(0)


def networks(num_outputs=2, **options):
    """Networks that see a bounded part of the picture."""
    encoder = keras_vae.ResNetMapEncoder(SHAPE, 3, (4, 5), 1, num_outputs=num_outputs, **options)
    decoder = keras_vae.ResNetMapDecoder(SHAPE, 3, (5, 4), 1, **options)
    for network in (encoder, decoder):  # residual blocks begin as the identity
        network.set_weights([RNG.normal(scale=0.15, size=w.shape) for w in network.weights])
    return encoder, decoder


def normed_networks(everywhere=False):
    """Networks that see the whole picture: where it is small, or where it is large too."""
    x = keras.Input(SHAPE)
    y = keras.layers.Conv2D(4, 4, 2, padding="same")(x)
    y = keras.layers.Conv2D(4, 3, padding="same", activation="tanh")(y)
    y = y + keras.layers.Conv2D(4, 1)(keras.layers.GroupNormalization(2)(y))
    heads = [keras.layers.Conv2D(3, 1)(y) for _ in range(2)]
    z = keras.Input((None, None, 3))
    h = keras.layers.GroupNormalization(1)(keras.layers.Conv2D(4, 3, padding="same")(z))
    h = keras.layers.UpSampling2D(2)(h)
    if everywhere:
        h = keras.layers.GroupNormalization(2)(h)
    return keras.Model(x, heads), keras.Model(z, keras.layers.Conv2D(2, 3, padding="same")(h))
