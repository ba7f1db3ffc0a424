"""Counts of genes in cells (osmFISH): Poisson, negative binomial, and scVI with as many units.

    python benchmarks/counts.py ../shared/data/counts/smfish.npz
    PEERS/bin/python benchmarks/counts.py ../shared/data/counts/smfish.npz --only scvi

A fifth of the cells is held out, the same for all. Each model has one hidden layer of 128 units and
ten latent dimensions, is given the counts of a whole cell as its exposure, and learns for 400
epochs with batches of 128: ours at a rate that falls along a cosine, scVI's as the library sets
it. The number is -log p(counts | exposure) of a held-out cell in nats, by
importance sampling with 1,000 draws (the likelihood of a bound would favour neither). Nothing was
chosen on the held-out cells. The second command runs in an environment with scvi-tools, without
keras_vae.

Writes counts.json and counts.md beside itself.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).with_name("counts.json")
TABLE = Path(__file__).with_name("counts.md")
LABELS = {
    "poisson": "`PoissonLikelihood`",
    "negative_binomial": "`NegativeBinomialLikelihood`",
    "zero_inflated": "`ZeroInflatedNegativeBinomialLikelihood`",
    "scvi": "scVI, negative binomial",
}
LATENT_DIM, NUM_UNITS, EPOCHS, BATCH_SIZE, NUM_DRAWS = 10, 128, 400, 128, 1000


def read(path):
    """Returns the counts to learn from, and those held out."""
    with np.load(path, allow_pickle=False) as file:
        counts = file["counts"].astype("float32")
    order = np.random.default_rng(0).permutation(len(counts))
    cut = len(counts) * 4 // 5
    return counts[order[:cut]], counts[order[cut:]]


def ours(likelihood):
    def run(train, test):
        import keras
        from keras import ops

        import keras_vae

        keras.utils.set_random_seed(0)
        genes = train.shape[1]
        x, exposure = keras.Input((genes,)), keras.Input((1,))
        hidden = keras.layers.Concatenate()([ops.log1p(x), exposure])
        hidden = keras.layers.Dense(NUM_UNITS, "relu")(hidden)
        heads = [keras.layers.Dense(LATENT_DIM, dtype="float32")(hidden) for _ in range(2)]
        p_x = getattr(keras_vae, likelihood)()
        model = keras_vae.CVAE(
            keras.Model([x, exposure], heads),
            keras_vae.ExposureDecoder(
                (genes,), LATENT_DIM, (NUM_UNITS,), num_parameters=p_x.num_parameters
            ),
            keras_vae.ArrayCondition((1,)),
            p_x,
            seed=0,
        )
        updates = EPOCHS * -(-len(train) // BATCH_SIZE)
        schedule = keras.optimizers.schedules.CosineDecay(1e-3, updates)
        model.compile(keras.optimizers.Adam(schedule))
        exposures = [np.log(part.sum(axis=1, keepdims=True)) for part in (train, test)]
        model.fit(train, exposures[0], epochs=EPOCHS, batch_size=BATCH_SIZE, verbose=0)
        nats = model.log_likelihood(test, exposures[1], num_samples=NUM_DRAWS, seed=0)
        return -nats, model.count_params()

    return run


def scvi(train, test):
    import anndata
    import scvi as library
    import torch

    library.settings.seed = 0
    cells = anndata.AnnData(train)
    library.model.SCVI.setup_anndata(cells)
    model = library.model.SCVI(
        cells,
        n_hidden=NUM_UNITS,
        n_latent=LATENT_DIM,
        n_layers=1,
        gene_likelihood="nb",
    )
    model.train(
        EPOCHS,
        train_size=1.0,
        batch_size=BATCH_SIZE,
        accelerator="cpu",
        enable_progress_bar=False,
        logger=False,
    )
    nats = model.get_marginal_ll(
        anndata.AnnData(test),
        n_mc_samples=NUM_DRAWS,
        n_mc_samples_per_pass=50,
        batch_size=BATCH_SIZE,
        return_mean=False,
    )
    return -torch.as_tensor(nats).numpy(), sum(p.numel() for p in model.module.parameters())


CONTENDERS = {
    "poisson": ours("PoissonLikelihood"),
    "negative_binomial": ours("NegativeBinomialLikelihood"),
    "zero_inflated": ours("ZeroInflatedNegativeBinomialLikelihood"),
    "scvi": scvi,
}


def table(results):
    """Returns the text of counts.md."""
    lines = [
        "# Counts of 33 genes in held-out cells",
        "",
        "Written by `benchmarks/counts.py`, which says how. Nats a cell given the counts of the",
        "whole cell; lower is better.",
        "",
        "| | nats a cell | parameters |",
        "|---|---:|---:|",
    ]
    for name in [n for n in LABELS if n in results]:
        found = results[name]
        nats = f"{found['nats']:.2f} ± {found['standard_error']:.2f}"
        lines.append(f"| {LABELS[name]} | {nats} | {found['parameters']:,} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("counts", type=Path)
    parser.add_argument("--only", action="append", choices=CONTENDERS)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    train, test = read(options.counts)
    for name in options.only or [n for n in CONTENDERS if n != "scvi"]:
        start = time.process_time()
        nats, parameters = CONTENDERS[name](train, test)
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        results[name] = {
            "nats": round(float(np.mean(nats)), 3),
            "standard_error": round(float(np.std(nats) / np.sqrt(len(nats))), 3),
            "parameters": int(parameters),
        }
        print(name, results[name], f"{time.process_time() - start:.0f} s", flush=True)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        TABLE.write_text(table(results))
    print(TABLE.read_text())


if __name__ == "__main__":
    main()
