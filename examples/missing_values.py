"""Fills the gaps in a table of wines, and says how certain it is.

    python examples/missing_values.py      # about two minutes; needs keras-vae[sklearn,plots]

A third of the values are deleted. Prints the error next to that of the mean, and plots the imputed
values, with their spread, against the deleted ones.
"""

import argparse
from pathlib import Path

from keras_vae.estimators import Imputer

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/missing_values"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()

    x = load_wine().data
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    gaps = np.random.default_rng(0).random(x.shape) < 1 / 3
    given = np.where(gaps, np.nan, x)

    imputer = Imputer(num_updates=10 if arguments.smoke else 1500, latent_dim=3, random_state=0)
    filled = imputer.fit(given).transform(given)
    error = np.sqrt(np.mean((filled - x)[gaps] ** 2))
    means = np.broadcast_to(np.nanmean(given, axis=0), x.shape)
    of_means = np.sqrt(np.mean((means - x)[gaps] ** 2))
    print(f"error of the gaps {error:.3f} standard deviations; of the means {of_means:.3f}")

    rows = (given - imputer.location_) / imputer.scale_
    spread = imputer.model_.impute(rows, num_samples=500).spread * imputer.scale_
    figure, axes = plt.subplots(figsize=(5, 5), layout="constrained")
    shown = np.random.default_rng(1).choice(gaps.sum(), 150, replace=False)
    axes.errorbar(
        x[gaps][shown], filled[gaps][shown], spread[gaps][shown], fmt="o", ms=3, lw=0.5, alpha=0.6
    )
    axes.axline((0, 0), slope=1, color="black", lw=0.8)
    axes.set(xlabel="deleted value", ylabel="imputed value and its spread")
    arguments.output.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.output / "samples.png", dpi=120)


if __name__ == "__main__":
    main()
