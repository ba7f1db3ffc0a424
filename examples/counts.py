"""Finds types of cells from gene counts, and shows that a Poisson would be too narrow.

    python examples/counts.py counts.npz       # about two minutes; needs keras-vae[plots]

The .npz holds `counts` (cells, genes) and optionally `labels`: 33 genes in 4,530 cells, for example
(osmFISH, Codeluppi et al. 2018). Draws the latent means of the cells, and the variance of each gene
in cells of one type, in the data and in samples from two models.
"""

import argparse
from pathlib import Path

import keras_vae

import keras
import matplotlib.pyplot as plt
import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("counts", nargs="?", type=Path, help="an .npz (default: made-up counts)")
    parser.add_argument("--output", type=Path, default=Path("runs/counts"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()

    counts, labels = made_up() if arguments.counts is None else read(arguments.counts)
    held_out = np.random.default_rng(0).random(len(counts)) < 0.2
    epochs = 1 if arguments.smoke else 100
    latents, draws = {}, {}
    for likelihood in (keras_vae.PoissonLikelihood(), keras_vae.NegativeBinomialLikelihood()):
        name = type(likelihood).__name__.removesuffix("Likelihood")
        model = make_model(counts, likelihood)
        model.fit(counts[~held_out], epochs=epochs, batch_size=128, verbose=0)
        nats = model.log_likelihood(counts[held_out], num_samples=100, seed=0).mean()
        print(f"{name:17} {-nats:.1f} nats for a held-out cell")
        latents[name] = model.encode(counts).mean
        drawn = model.decode(latents[name]).sample(keras.random.SeedGenerator(0))
        draws[name] = keras.ops.convert_to_numpy(drawn)

    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    z = keras.ops.convert_to_numpy(latents["NegativeBinomial"])
    for label in np.unique(labels):
        left.scatter(*z[labels == label].T, s=4, alpha=0.6, label=label)
    left.set(xlabel="$z_1$", ylabel="$z_2$", title="cells, by annotated type")
    left.legend(markerscale=3)
    kind = labels == max(set(labels), key=list(labels).count)
    for name, drawn in {"data": counts, **draws}.items():
        of_kind = drawn[kind]
        right.loglog(of_kind.mean(axis=0) + 1e-2, of_kind.var(axis=0) + 1e-2, "o", ms=5, label=name)
    right.axline((1, 1), (10, 10), color="black", lw=0.8, label="variance = mean")
    right.set(xlabel="mean", ylabel="variance", title="genes, in cells of the most common type")
    right.legend()
    arguments.output.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.output / "samples.png", dpi=110)


def make_model(counts, likelihood):
    keras.utils.set_random_seed(0)
    genes = {str(i): column for i, column in enumerate(counts.T.tolist())}
    schema = keras_vae.TableSchema.infer(genes, dict.fromkeys(genes, "count"))
    model = keras_vae.VAE(
        keras_vae.TableEncoder(schema, latent_dim=2),  # it takes the logarithms of counts
        keras_vae.MLPDecoder((counts.shape[1],), latent_dim=2, hidden_units=(64, 128)),
        likelihood,
        seed=0,
    )
    model.compile(keras.optimizers.Adam(1e-3, clipnorm=10.0))
    return model


def read(path):
    with np.load(path) as file:
        counts = file["counts"].astype("float32")
        labels = file["labels"] if "labels" in file else np.zeros(len(counts), int)
        return counts, file["label_names"][labels] if "label_names" in file else labels


def made_up():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    means = np.exp(rng.normal(0.5, 1.5, (3, 12)))[labels]
    return rng.poisson(means * rng.gamma(2, 0.5, means.shape)).astype("float32"), labels


if __name__ == "__main__":
    main()
