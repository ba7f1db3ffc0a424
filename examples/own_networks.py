"""A VAE with networks of your own, written with Keras' functional interface.

    python examples/own_networks.py

Any encoder that returns (mean, log-variance) and any decoder that returns the parameters of the
likelihood will do. Prints the test log-likelihood and draws samples.
"""

import argparse
from pathlib import Path

import keras_vae
from keras_vae import plotting

import keras
from keras import layers

LATENT_DIM = 16


def encoder(shape):
    x = layers.Input(shape)
    h = layers.Conv2D(16, 3, strides=2, padding="same", activation="gelu")(x)
    h = layers.SeparableConv2D(32, 3, strides=2, padding="same", activation="gelu")(h)
    h = layers.LayerNormalization()(layers.Flatten()(h))
    mean, log_var = layers.Dense(LATENT_DIM)(h), layers.Dense(LATENT_DIM)(h)
    return keras.Model(x, [mean, log_var], name="encoder")


def decoder(shape):
    z = layers.Input((LATENT_DIM,))
    h = layers.Dense(7 * 7 * 16, activation="gelu")(z)
    h = layers.Reshape((7, 7, 16))(h)
    for filters in (32, 16):
        h = layers.UpSampling2D()(h)
        h = layers.Conv2D(filters, 3, padding="same", activation="gelu")(h)
    logits = layers.Conv2D(shape[-1], 3, padding="same")(h)  # no sigmoid: Bernoulli takes logits
    return keras.Model(z, logits, name="decoder")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--output", type=Path, default=Path("runs/own_networks"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()
    data = keras_vae.datasets.load("mnist_mini", binarize="fixed")
    x, x_test = data.train.x, data.test.x
    if arguments.smoke:
        x, x_test, arguments.epochs = x[:200], x_test[:20], 1
    vae = keras_vae.VAE(encoder(x.shape[1:]), decoder(x.shape[1:]), seed=0)
    vae.compile(keras.optimizers.Adam(2e-3))
    vae.fit(x, epochs=arguments.epochs, batch_size=100, validation_data=x_test)
    nats = vae.log_likelihood(x_test, num_samples=10 if arguments.smoke else 500, seed=0)
    print(f"test log-likelihood {nats.mean():.2f} nats")
    plotting.image_grid(vae.sample(64, seed=0), arguments.output / "samples.png")


if __name__ == "__main__":
    main()
