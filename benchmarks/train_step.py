"""Our train step against Keras' own default step of the same network, in turn in one process.

    KERAS_BACKEND=jax python benchmarks/train_step.py

Both models have the same networks, likelihood, noise and optimizer; the second trains through
`keras.Model.train_step` with the same objective in `compute_loss`. Rounds of a few hundred steps
alternate, so that a change in the machine's speed hits both alike; the ratio is of the medians of
the rounds. The bar is 1.10.
"""

import argparse
import dataclasses
import statistics
import time

import keras
import numpy as np
from keras import ops

import keras_vae


class DefaultStepVAE(keras_vae.VAE):
    """The same objective through Keras' own step: no metrics but the loss."""

    train_step = keras.Model.train_step

    def objective(self):
        return {k: dataclasses.replace(t, metric=None) for k, t in super().objective().items()}

    def call(self, x, training=False):
        terms = self.terms(x, training=training)
        return ops.stack([terms["reconstruction"], terms["kl"]])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.sum(y_pred, axis=0))


def networks(kind, shape):
    if kind == "mlp":
        options = {"hidden_units": (200, 200), "activation": "tanh"}
        return (
            keras_vae.MLPEncoder(shape, 50, **options),
            keras_vae.MLPDecoder(shape, 50, **options),
        )
    return keras_vae.ConvEncoder(shape, 16), keras_vae.ConvDecoder(shape, 16)


def seconds_of_a_round(model, x, batch_size):
    started = time.perf_counter()
    keras.Model.fit(model, x, batch_size=batch_size, shuffle=False, verbose=0)
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=("mlp", "conv"), default="mlp")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=100, help="steps of a round")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()

    digits = keras_vae.datasets.load("mnist_mini", binarize="fixed").train.x
    x = np.resize(digits, (arguments.steps * arguments.batch_size, *digits.shape[1:]))
    models = {}
    for name, model_class in {"keras_vae": keras_vae.VAE, "keras default": DefaultStepVAE}.items():
        keras.utils.set_random_seed(0)
        models[name] = model_class(*networks(arguments.network, x.shape[1:]), seed=0)
        models[name].compile(keras.optimizers.Adam(1e-3))
        seconds_of_a_round(models[name], x, arguments.batch_size)  # compiles

    seconds = {name: [] for name in models}
    for i in range(arguments.rounds):
        order = list(models) if i % 2 == 0 else list(reversed(models))
        for name in order:
            seconds[name].append(seconds_of_a_round(models[name], x, arguments.batch_size))

    step = {k: 1e3 * statistics.median(v) / arguments.steps for k, v in seconds.items()}
    ours, default = step["keras_vae"], step["keras default"]
    print(
        f"{keras.config.backend()} {arguments.network} batch {arguments.batch_size}: "
        f"keras_vae {ours:.2f} ms/step, keras default {default:.2f} ms/step, "
        f"ratio {ours / default:.3f}"
    )


if __name__ == "__main__":
    main()
