"""`fit` of the VAE of Keras' example, whose decoder is of transposed convolutions.

https://keras.io/examples/generative/vae/
"""

from typing import Any

from digits import digits
from loops import LEARNING_RATE
from loops import fit
from loops import jax_loop
from loops import negative_elbo_on_jax
from loops import negative_elbo_on_tensorflow
from loops import negative_elbo_on_torch
from loops import tensorflow_loop
from loops import torch_loop
from registry import BACKENDS
from registry import Bench
from registry import Row
from registry import Run

bench = Bench(
    "conv_fit",
    "One epoch of training the convolutional Bernoulli VAE of Keras' example, Adam at 1e-3, "
    "float32. The plain loop on JAX calls a compiled step: inside of a loop XLA's gradients of "
    "convolutions are slow on a CPU.",
    "images",
    options={"num_images": 1280, "batch_size": 128, "latent_dim": 2},
    quick={"num_images": 256},
    rows=[
        Row(
            "conv fit, the networks of Keras' example, against plain torch",
            "keras_vae",
            "fused loop/torch",
            bars={"jax": 0.85, "torch": 0.95, "tensorflow": 1.3},
            aims={"jax": 1.0, "torch": 1.05, "tensorflow": 1.4},
            earlier={"jax": "0.1", "torch": "0.80", "tensorflow": "1.28"},
        ),
        Row("conv fit, against our earlier checkout", "keras_vae", "before", backends=BACKENDS),
        Row("conv fit, against plain Keras `fit`", "keras_vae", "keras fit", backends=BACKENDS),
        Row("conv fit, against a compiled step", "keras_vae", "compiled step", backends=("jax",)),
        Row(
            "conv fit, against a compiled loop",
            "keras_vae",
            "compiled loop",
            backends=("tensorflow",),
        ),
    ],
    warm_ups=1,
)


def keras_networks(latent_dim: int, activation: str | None) -> tuple[Any, Any]:
    """Returns encoder and decoder of the example; its decoder ends in a sigmoid."""
    import keras
    from keras import layers

    inputs = keras.Input((28, 28, 1))
    h = layers.Conv2D(32, 3, activation="relu", strides=2, padding="same")(inputs)
    h = layers.Conv2D(64, 3, activation="relu", strides=2, padding="same")(h)
    h = layers.Dense(16, activation="relu")(layers.Flatten()(h))
    encoder = keras.Model(inputs, [layers.Dense(latent_dim)(h), layers.Dense(latent_dim)(h)])
    decoder = keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense(7 * 7 * 64, activation="relu"),
            layers.Reshape((7, 7, 64)),
            layers.Conv2DTranspose(64, 3, activation="relu", strides=2, padding="same"),
            layers.Conv2DTranspose(32, 3, activation="relu", strides=2, padding="same"),
            layers.Conv2DTranspose(1, 3, activation=activation, padding="same"),
        ]
    )
    return encoder, decoder


@bench.contender("keras_vae", is_ours=True)
def ours(backend: str, num_images: int, batch_size: int, latent_dim: int) -> Run:
    import keras

    import keras_vae

    model = keras_vae.VAE(*keras_networks(latent_dim, "sigmoid"), seed=0)
    model.compile(keras.optimizers.Adam(LEARNING_RATE))
    return fit(model, digits(num_images), batch_size)


@bench.contender("keras fit")
def keras_fit(backend: str, num_images: int, batch_size: int, latent_dim: int) -> Run:
    import keras

    from plain_keras import PlainVAE

    model = PlainVAE(*keras_networks(latent_dim, None))
    model.compile(keras.optimizers.Adam(LEARNING_RATE))
    return fit(model, digits(num_images), batch_size)


@bench.contender("fused loop", "torch")
def fused_loop(backend: str, num_images: int, batch_size: int, latent_dim: int) -> Run:
    from torch import nn

    encoder = nn.Sequential(
        nn.Conv2d(1, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(7 * 7 * 64, 16),
        nn.ReLU(),
        nn.Linear(16, 2 * latent_dim),
    )
    decoder = nn.Sequential(
        nn.Linear(latent_dim, 7 * 7 * 64),
        nn.ReLU(),
        nn.Unflatten(1, (64, 7, 7)),
        nn.ConvTranspose2d(64, 64, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 3, padding=1),
    )

    def loss_of(x):
        return negative_elbo_on_torch(x, encoder, decoder)

    x = digits(num_images).transpose(0, 3, 1, 2).copy()
    return torch_loop(nn.ModuleList([encoder, decoder]), loss_of, x, batch_size, fused=True)


@bench.contender("compiled step", "jax")
def compiled_step(backend: str, num_images: int, batch_size: int, latent_dim: int) -> Run:
    encoder, decoder = keras_networks(latent_dim, None)

    def loss_of(weights, x, key):
        return negative_elbo_on_jax(
            x,
            key,
            lambda x: encoder.stateless_call(weights[0], [], x)[0],
            lambda z: decoder.stateless_call(weights[1], [], z)[0],
        )

    weights = [[v.value for v in net.trainable_variables] for net in (encoder, decoder)]
    return jax_loop(weights, loss_of, digits(num_images), batch_size, scan=False)


@bench.contender("compiled loop", "tensorflow")
def compiled_loop(backend: str, num_images: int, batch_size: int, latent_dim: int) -> Run:
    encoder, decoder = keras_networks(latent_dim, None)

    def loss_of(x):
        return negative_elbo_on_tensorflow(x, encoder, decoder)

    weights = [v.value for net in (encoder, decoder) for v in net.trainable_variables]
    return tensorflow_loop(weights, loss_of, digits(num_images), batch_size)
