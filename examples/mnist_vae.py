"""A convolutional VAE on digits, from data to pictures, in plain Keras style.

    python examples/mnist_vae.py                    # embedded digits, about two minutes
    python examples/mnist_vae.py --data mnist       # all of MNIST, through tensorflow-datasets

Writes samples, reconstructions, training curves and, for `--latent-dim 2`, the latent plane.
"""

import argparse
from pathlib import Path

import keras_vae
from keras_vae import plotting

import keras


def build(shape, latent_dim):
    vae = keras_vae.VAE(
        encoder=keras_vae.ConvEncoder(shape, latent_dim),
        decoder=keras_vae.ConvDecoder(shape, latent_dim),
        # The KL weight rises over the first updates, so that the model uses z before z costs
        # anything.
        kl_weight=keras_vae.LinearAnnealing(num_steps=500, start=0.1),
        seed=0,
    )
    vae.compile(keras.optimizers.Adam(1e-3))
    return vae


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="mnist_mini")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--latent-dim", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("runs/mnist_vae"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()

    data = keras_vae.datasets.load(arguments.data, binarize="fixed")
    x, x_test, y_test = data.train.x, data.test.x, data.test.y
    if arguments.smoke:
        x, x_test, y_test, arguments.epochs = x[:200], x_test[:50], y_test[:50], 1

    vae = build(x.shape[1:], arguments.latent_dim)
    vae.summary()
    training = vae.fit(x, epochs=arguments.epochs, batch_size=100, validation_data=x_test)

    nats = vae.log_likelihood(x_test, num_samples=10 if arguments.smoke else 500, seed=0)
    elbo = training.history["val_elbo"][-1]
    print(f"test log-likelihood {nats.mean():.2f} nats, ELBO {elbo:.2f}")
    print(f"active units: {keras_vae.evaluation.active_units(vae, x_test).sum()}")

    folder = arguments.output
    plotting.curves(training.history, folder / "curves.png", held_out="test")
    plotting.reconstructions(x_test[:20], vae.reconstruct(x_test[:20]), folder / "rebuilt.png")
    plotting.image_grid(vae.sample(64, seed=0), folder / "samples.png")
    if arguments.latent_dim == 2:
        z = vae.encode(x_test).mean
        plotting.latent_scatter(z, folder / "latent.png", y=y_test)
    vae.save(folder / "vae.keras")
    print(f"Wrote {folder}")


if __name__ == "__main__":
    main()
