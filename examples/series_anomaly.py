"""A VAE of series that finds where a series is unusual, step by step.

    python examples/series_anomaly.py                    # made-up machine readings, a minute
    python examples/series_anomaly.py --networks gru

It is trained on normal series only. The score of a time step is its cost, -log p(x_t|z) in nats.
Writes samples and scored series as pictures, and prints how well scores tell faulty steps.
"""

import argparse
from pathlib import Path

import keras_vae

import keras
import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt

T, C = 100, 2
SIGMA = 0.1  # of the readings' noise


def normal_series(num_series, rng):
    """Returns (N, T, C): four waves of any phase and height, and the same a quarter later."""
    phase = rng.uniform(0, 2 * np.pi, (num_series, 1))
    height = rng.uniform(0.7, 1.3, (num_series, 1, 1))
    angle = phase + 8 * np.pi * np.arange(T) / T
    x = height * np.stack([np.sin(angle), np.sin(angle - np.pi / 2)], axis=-1)
    return (x + SIGMA * rng.normal(size=x.shape)).astype("float32")


def with_faults(x, rng):
    """Returns series with one fault of five steps each, and bool (N, T), which marks these steps.

    In a third a channel stands still, in a third it jumps, and in a third it shows the other one.
    """
    x, is_fault = x.copy(), np.zeros(x.shape[:2], bool)
    for i, series in enumerate(x):
        start, channel = rng.integers(0, T - 5), rng.integers(C)
        steps = slice(start, start + 5)
        if i % 3 == 0:
            series[steps, channel] = series[start, channel]
        elif i % 3 == 1:
            series[steps, channel] += rng.choice([-0.6, 0.6])
        else:
            series[steps, channel] = series[steps, 1 - channel]
        is_fault[i, steps] = True
    return x, is_fault


def build(networks, latent_dim):
    if networks == "conv":
        encoder = keras_vae.ConvSeriesEncoder((T, C), latent_dim, filters=(32, 64, 64))
        decoder = keras_vae.ConvSeriesDecoder((T, C), latent_dim, filters=(64, 64, 32))
    else:
        encoder = keras_vae.RecurrentSeriesEncoder((T, C), latent_dim, units=64, cell=networks)
        decoder = keras_vae.RecurrentSeriesDecoder((T, C), latent_dim, units=64, cell=networks)
    likelihood = keras_vae.LearnedSigmaGaussianLikelihood(initial_sigma=0.5)
    return keras_vae.VAE(encoder, decoder, likelihood, seed=0)


def area_under_curve(scores, is_fault):
    """Returns the probability that a faulty step scores higher than a normal one."""
    ranks = np.argsort(np.argsort(scores.ravel()))[is_fault.ravel()]
    num_faults, num_normal = is_fault.sum(), (~is_fault).sum()
    return (ranks.sum() - num_faults * (num_faults - 1) / 2) / (num_faults * num_normal)


def draw_series(path, series, scores=None, is_fault=None):
    """Draws six series, each with its scores below it and its faulty steps shaded."""
    figure, axes = plt.subplots(6, 1, figsize=(8, 9), sharex=True)
    for i, axis in enumerate(axes):
        axis.plot(series[i], linewidth=1)
        if scores is not None:
            axis.fill_between(range(T), -3 + scores[i] / scores.max(), -3, color="grey")
            axis.fill_between(range(T), -3, 2, where=is_fault[i], color="red", alpha=0.2)
    figure.savefig(path, bbox_inches="tight")
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", choices=("conv", "gru", "lstm"), default="conv")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--latent-dim", type=int, default=4)
    parser.add_argument("--output", type=Path, default=Path("runs/series_anomaly"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()
    num_series, epochs = (64, 1) if arguments.smoke else (2000, arguments.epochs)

    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)  # initial weights
    model = build(arguments.networks, arguments.latent_dim)
    model.compile(keras.optimizers.Adam(2e-3))
    model.fit(normal_series(num_series, rng), epochs=epochs, batch_size=50, verbose=2)

    x, is_fault = with_faults(normal_series(300, rng), rng)
    scores = keras_vae.evaluation.element_costs(model, x).sum(axis=-1)  # nats of each step
    area = area_under_curve(scores, is_fault)
    # The simplest score: how far a step is from the one before it.
    jumps = np.abs(np.diff(x, axis=1, prepend=x[:, :1])).sum(axis=-1)
    found = np.take_along_axis(is_fault, scores.argmax(axis=1)[:, None], axis=1).mean()
    print(
        f"area under the curve, of all steps: {area:.3f}; of jumps alone: "
        f"{area_under_curve(jumps, is_fault):.3f}"
    )
    print(f"series whose most unusual step is a faulty one: {100 * found:.0f} %")
    sigma = np.exp(keras.ops.convert_to_numpy(model.likelihood.log_sigma))
    print(f"sigma {sigma:.3f}, of the data {SIGMA}")

    folder = arguments.output
    folder.mkdir(parents=True, exist_ok=True)
    draw_series(folder / "samples.png", model.sample(6, seed=0))
    draw_series(folder / "scores.png", x[:6], scores[:6], is_fault[:6])
    model.save_to_preset(folder / "model")


if __name__ == "__main__":
    main()
