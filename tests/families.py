"""Every family of models, once, tiny: the conformance and the agreement tests run over this list.

A new family is entered with one line of `FAMILIES`.
"""

from typing import NamedTuple

import keras
import numpy as np
from keras import layers
from keras import ops

from keras_vae import VAE
from keras_vae import Autoencoder
from keras_vae import ConvDecoder
from keras_vae import ConvEncoder
from keras_vae import CyclicAnnealing
from keras_vae import LearnedSigmaGaussianLikelihood
from keras_vae import LinearAnnealing
from keras_vae import MLPDecoder
from keras_vae import MLPEncoder

NUM_EXAMPLES, BATCH_SIZE = 8, 4


class Family(NamedTuple):
    """A tiny model and data for it.

    Attributes:
        name: str.
        make: callable without arguments; returns a new model.
        data_shape: shape of one example. Pictures are drawn black and white, vectors real.
    """

    name: str
    make: object
    data_shape: tuple

    def model(self, seed=0):
        """Returns a new model, the same at every call."""
        keras.utils.set_random_seed(seed)
        return self.make()

    def compiled(self, optimizer=None, **kwargs):
        model = self.model()
        model.compile(keras.optimizers.Adam(1e-2) if optimizer is None else optimizer, **kwargs)
        model.optimizer.build(model.trainable_variables)
        return model

    def data(self, num_examples=NUM_EXAMPLES):
        """Returns examples (N, *data_shape), float32, the same at every call."""
        draws = np.random.default_rng(1).normal(size=(num_examples, *self.data_shape))
        is_picture = len(self.data_shape) == 3
        return (draws > 0.5 if is_picture else draws).astype("float32")


def mlp(data_shape, latent_dim=3, activation="tanh"):
    """Returns an encoder and a decoder of one hidden layer each."""
    return (
        MLPEncoder(data_shape, latent_dim, (8,), activation),
        MLPDecoder(data_shape, latent_dim, (8,), activation),
    )


def conv(data_shape):
    return ConvEncoder(data_shape, 2, (3, 4)), ConvDecoder(data_shape, 2, (4, 3))


class Sampling(layers.Layer):
    """Uses (z_mean, z_log_var) to sample z, the vector encoding a digit."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        batch = ops.shape(z_mean)[0]
        dim = ops.shape(z_mean)[1]
        epsilon = keras.random.normal(shape=(batch, dim), seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


def keras_example():
    """Returns encoder and decoder as https://keras.io/examples/generative/vae/ builds them."""
    latent_dim = 2

    encoder_inputs = keras.Input(shape=(28, 28, 1))
    x = layers.Conv2D(32, 3, activation="relu", strides=2, padding="same")(encoder_inputs)
    x = layers.Conv2D(64, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(16, activation="relu")(x)
    z_mean = layers.Dense(latent_dim, name="z_mean")(x)
    z_log_var = layers.Dense(latent_dim, name="z_log_var")(x)
    z = Sampling()([z_mean, z_log_var])
    encoder = keras.Model(encoder_inputs, [z_mean, z_log_var, z], name="encoder")

    latent_inputs = keras.Input(shape=(latent_dim,))
    x = layers.Dense(7 * 7 * 64, activation="relu")(latent_inputs)
    x = layers.Reshape((7, 7, 64))(x)
    x = layers.Conv2DTranspose(64, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(32, 3, activation="relu", strides=2, padding="same")(x)
    decoder_outputs = layers.Conv2DTranspose(1, 3, activation="sigmoid", padding="same")(x)
    decoder = keras.Model(latent_inputs, decoder_outputs, name="decoder")
    return encoder, decoder


CUSTOM_OBJECTS = {"Sampling": Sampling}  # the example registers nothing

PICTURE, VECTOR = (6, 5, 1), (4,)


def _sigma_vae():
    return VAE(*mlp(VECTOR), LearnedSigmaGaussianLikelihood(), seed=3)


def _annealed_vae():
    weight = CyclicAnnealing(10, num_cycles=2)
    return VAE(*mlp(PICTURE), kl_weight=weight, free_bits=0.1, seed=4)


def _capacity_vae():
    return VAE(*mlp(PICTURE), kl_weight=5.0, capacity=LinearAnnealing(10, end=2.0), seed=5)


FAMILIES = [
    Family("vae", lambda: VAE(*mlp(PICTURE), seed=1), PICTURE),
    Family("conv_vae", lambda: VAE(*conv(PICTURE), seed=2), PICTURE),
    Family("sigma_vae", _sigma_vae, VECTOR),
    Family("annealed_vae", _annealed_vae, PICTURE),
    Family("capacity_vae", _capacity_vae, PICTURE),
    Family("autoencoder", lambda: Autoencoder(*mlp(PICTURE), seed=6), PICTURE),
    Family("keras_example", lambda: VAE(*keras_example(), seed=7), (28, 28, 1)),
]
BY_NAME = {family.name: family for family in FAMILIES}
