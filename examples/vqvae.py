"""A VQ-VAE in two stages: codes first, then a prior from which new pictures are drawn.

    python examples/vqvae.py

Draws samples and the codes of test pictures, and prints the error of the reconstructions and what
a code costs under the prior.
"""

import argparse
from pathlib import Path

import keras_vae
from keras_vae import plotting

import keras
import numpy as np

NUM_CODES = 64


def vqvae(shape):
    return keras_vae.VQVAE(
        keras_vae.ConvMapEncoder(shape, 16),
        keras_vae.ConvMapDecoder(shape, 16),
        keras_vae.VectorQuantizer(NUM_CODES),
        likelihood=keras_vae.LearnedSigmaGaussianLikelihood(),
        seed=0,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--output", type=Path, default=Path("runs/vqvae"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()
    data = keras_vae.datasets.load("mnist_mini")
    x, x_test = data.train.x, data.test.x
    if arguments.smoke:
        x, x_test, arguments.epochs = x[:200], x_test[:20], 1
    model = vqvae(x.shape[1:])
    model.compile(keras.optimizers.Adam(2e-3))
    model.fit(x, epochs=arguments.epochs, batch_size=100, validation_data=x_test)
    model.fit_prior(x, epochs=arguments.epochs, batch_size=100)

    codes = model.encode_indices(x_test)
    error = np.mean((model.reconstruct(x_test) - x_test) ** 2) / np.var(x_test)
    nats = -model.prior.log_likelihood(codes).mean() / codes[0].size
    print(f"squared error over variance {error:.3f}")
    print(f"{nats:.2f} nats a code, where uniform ones cost {np.log(NUM_CODES):.2f}")
    plotting.image_grid(model.sample(64, seed=0), arguments.output / "samples.png")
    plotting.code_maps(x_test[:8], codes[:8], NUM_CODES, arguments.output / "codes.png")


if __name__ == "__main__":
    main()
