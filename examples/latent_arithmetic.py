"""Makes small shapes large by adding a vector to their codes.

    python examples/latent_arithmetic.py

The vector is the mean code of large shapes minus that of small ones. The data are synthetic, so the
right result is known: the error is printed next to that of leaving the shapes unchanged, and the
picture shows small shapes with their enlarged ones below.
"""

import argparse
from pathlib import Path

import keras_vae
from keras_vae import plotting

import keras
import numpy as np

SMALL, LARGE = 0, 3


def enlarged(y):
    """The numbers of the same shapes, at the same places, in the largest size."""
    factors = keras_vae.datasets.shape_factors(y)
    factors[:, 1] = LARGE
    return np.ravel_multi_index(factors.T, (3, 4, 8, 10, 10))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--output", type=Path, default=Path("runs/latent_arithmetic"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()
    data = keras_vae.datasets.load("shapes")
    train, test = data.train, data.test
    if arguments.smoke:
        train, test, arguments.epochs = train[:400], test[:100], 1
    networks = keras_vae.MLPEncoder((32, 32, 1), 10), keras_vae.MLPDecoder((32, 32, 1), 10)
    vae = keras_vae.VAE(*networks, seed=0)
    vae.compile(keras.optimizers.Adam(1e-3))
    vae.fit(train.x, epochs=arguments.epochs, batch_size=100, validation_data=test.x)

    sizes = keras_vae.datasets.shape_factors(train.y)[:, 1]
    z = plotting.latents(vae, train.x)[0]
    growth = z[sizes == LARGE].mean(axis=0) - z[sizes == SMALL].mean(axis=0)

    small = test[keras_vae.datasets.shape_factors(test.y)[:, 1] == SMALL]
    moved = plotting.latents(vae, small.x)[0] + growth
    made = keras.ops.convert_to_numpy(vae.decode(moved.astype("float32")).mean)
    right = keras_vae.datasets.shapes()[0][enlarged(small.y)][..., None].astype("float32")
    for name, pictures in (("enlarged", made), ("left as they are", small.x)):
        error = np.mean((pictures - right) ** 2) / np.var(right)
        print(f"{name}: squared error over variance {error:.3f}")
    plotting.reconstructions(small.x[:20], made[:20], arguments.output / "samples.png")


if __name__ == "__main__":
    main()
