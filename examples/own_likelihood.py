"""A likelihood of your own: the continuous Bernoulli, for grey pixels.

    python examples/own_likelihood.py

The cross-entropy of grey pixels is not a log-density: it lacks the constant that makes it one
(Loaiza-Ganem and Cunningham, 2019, https://arxiv.org/abs/1907.06845). Prints the bound of held-out
digits in nats next to that of a Gaussian, which is a density of the same pixels, and draws samples.
"""

import argparse
from pathlib import Path

import keras_vae
from keras_vae import plotting

import keras
from keras import ops


class ContinuousBernoulli(keras_vae.Distribution):
    def __init__(self, logits):
        self.logits = ops.cast(logits, "float32")
        # Near lambda = 1/2 both formulas are 0 / 0, and a few terms of the series suffice.
        self.is_even = ops.abs(self.logits) < 0.3
        t = ops.where(self.is_even, 1.0, self.logits)
        self.mean = ops.where(self.is_even, 0.5 + self.logits / 12, 1 / (1 - ops.exp(-t)) - 1 / t)
        super().__init__(ops.shape(self.logits))

    def _log_prob(self, x):
        # log C = log(t / tanh(t / 2)), for logits t
        t = ops.where(self.is_even, 1.0, self.logits)
        log_c = ops.where(
            self.is_even,
            ops.log(2.0) + ops.square(self.logits) / 12,
            ops.log(ops.abs(t)) - ops.log(ops.abs(ops.tanh(t / 2))),
        )
        return x * self.logits - ops.softplus(self.logits) + log_c


@keras.saving.register_keras_serializable(package="examples")
class ContinuousBernoulliLikelihood(keras_vae.Likelihood):
    def call(self, parameters):
        return ContinuousBernoulli(parameters)

    def check(self, x, name="x"):
        if x.min() < 0 or x.max() > 1:
            raise ValueError(
                f"`{name}` must lie in [0, 1]. Received: from {x.min()} to {x.max()}. Divide "
                "pixels by 255."
            )


def trained(likelihood, x, x_test, epochs):
    shape = x.shape[1:]
    networks = keras_vae.ConvEncoder(shape, 16), keras_vae.ConvDecoder(shape, 16)
    vae = keras_vae.VAE(*networks, likelihood=likelihood, seed=0)
    vae.compile(keras.optimizers.Adam(1e-3))
    vae.fit(x, epochs=epochs, batch_size=100, validation_data=x_test)
    return vae


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--output", type=Path, default=Path("runs/own_likelihood"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()
    data = keras_vae.datasets.load("mnist_mini")  # grey
    x, x_test = data.train.x, data.test.x
    if arguments.smoke:
        x, x_test, arguments.epochs = x[:200], x_test[:20], 1
    ours = trained(ContinuousBernoulliLikelihood(), x, x_test, arguments.epochs)
    gaussian = keras_vae.LearnedSigmaGaussianLikelihood()
    theirs = trained(gaussian, x, x_test, arguments.epochs)
    for name, vae in (("continuous Bernoulli", ours), ("Gaussian", theirs)):
        elbo = vae.evaluate(x_test, return_dict=True, verbose=0)["elbo"]
        print(f"{name}: ELBO {elbo:.1f} nats a digit")
    plotting.image_grid(ours.sample(64, seed=0), arguments.output / "samples.png")


if __name__ == "__main__":
    main()
