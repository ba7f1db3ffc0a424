"""A family of your own: an autoencoder whose codes are matched to the prior by sliced distances.

    python examples/own_family.py

The codes of a batch and draws of the prior are projected onto random lines, sorted, and compared
(Kolouri et al., 2018, https://arxiv.org/abs/1804.01947). Prints how far the codes of test digits
are from N(0, I), with and without that term, and draws samples.
"""

import argparse
from pathlib import Path

import keras_vae
from keras_vae import plotting

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="examples")
class SlicedVAE(keras_vae.VAE):
    """A VAE with the sliced Wasserstein distance of the codes of a batch from the prior."""

    def __init__(self, encoder, decoder, sliced_weight=100.0, num_lines=50, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.sliced_weight = sliced_weight
        self.num_lines = num_lines

    def objective(self):
        return {**super().objective(), "sliced": keras_vae.Term(train=self.sliced_weight)}

    def terms(self, x, c=None, training=False):
        posterior, stream = self.infer(x, c, training), self.noise.stream(training)
        z = posterior.sample(stream)
        drawn = keras.random.normal(ops.shape(z), seed=stream)
        lines = keras.random.normal((z.shape[-1], self.num_lines), seed=stream)
        lines = lines / ops.norm(lines, axis=0, keepdims=True)
        ours, priors = (ops.sort(ops.matmul(codes, lines), axis=0) for codes in (z, drawn))
        return {
            **self.bound(x, posterior, z, c, training),
            "sliced": ops.mean(ops.square(ours - priors)),  # a scalar: a cost of the whole batch
        }


def distance(vae, x):
    """The largest difference from 0 of a mean of codes, and from 1 of a standard deviation."""
    posterior = vae.encode(x)
    z = ops.convert_to_numpy(posterior.sample(seed=0))
    return np.abs(z.mean(axis=0)).max(), np.abs(z.std(axis=0) - 1).max()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--output", type=Path, default=Path("runs/own_family"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()
    data = keras_vae.datasets.load("mnist_mini", binarize="fixed")
    x, x_test = data.train.x, data.test.x
    if arguments.smoke:
        x, x_test, arguments.epochs = x[:200], x_test[:100], 1
    for weight in (0.0, 100.0):
        networks = keras_vae.MLPEncoder(x.shape[1:], 8), keras_vae.MLPDecoder(x.shape[1:], 8)
        vae = SlicedVAE(*networks, sliced_weight=weight, kl_weight=0.1, seed=0)
        vae.compile(keras.optimizers.Adam(1e-3))
        vae.fit(x, epochs=arguments.epochs, batch_size=100, validation_data=x_test, verbose=2)
        mean, spread = distance(vae, x_test)
        print(f"weight {weight:g}: means within {mean:.2f} of 0, spreads within {spread:.2f} of 1")
    plotting.image_grid(vae.sample(64, seed=0), arguments.output / "samples.png")


if __name__ == "__main__":
    main()
