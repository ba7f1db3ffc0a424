"""A conditional VAE that draws the digit you ask for.

    python examples/cvae.py

Draws a row for each class, and prints the share of samples that a classifier, trained in the same
run, assigns to the class that was asked for.
"""

import argparse
from pathlib import Path

import keras_vae
from keras_vae import plotting

import keras
import numpy as np


def conditional_vae(shape, latent_dim=10):
    labels = keras_vae.LabelCondition(10)
    return keras_vae.CVAE(
        keras_vae.ConvEncoder(shape, latent_dim, condition_shape=labels.shape),
        keras_vae.ConvDecoder(shape, latent_dim, condition_shape=labels.shape),
        condition=labels,
        seed=0,
    )


def classifier(shape):
    network = keras_vae.ConvEncoder(shape, 10, num_outputs=1)
    return keras_vae.Predictor(network, keras_vae.CategoricalLikelihood(10), seed=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--output", type=Path, default=Path("runs/cvae"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()
    data = keras_vae.datasets.load("mnist_mini", binarize="fixed")
    train, test = data.train, data.test
    if arguments.smoke:
        train, test, arguments.epochs = train[:200], test[:50], 1
    cvae, judge = conditional_vae(train.x.shape[1:]), classifier(train.x.shape[1:])
    for model in (cvae, judge):
        model.compile(keras.optimizers.Adam(1e-3))
        pairs = (train.x, train.y), (test.x, test.y)
        model.fit(*pairs[0], epochs=arguments.epochs, batch_size=100, validation_data=pairs[1])

    labels = np.repeat(np.arange(10), 10)
    samples = cvae.sample(100, condition=labels, seed=0)
    taken_for = judge.predict(samples, verbose=0).argmax(axis=-1)
    print(f"{np.mean(taken_for == labels):.0%} of the samples are taken for their class")
    plotting.image_grid(samples, arguments.output / "samples.png", columns=10)


if __name__ == "__main__":
    main()
