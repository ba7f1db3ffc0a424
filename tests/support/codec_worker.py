"""Compresses and decompresses with a few families: codec_worker.py FOLDER write|read BACKENDS.

The first to write leaves presets and data in FOLDER. Each backend writes its own files, and reading
fails where one of any backend gives other data.
"""

import sys
from pathlib import Path

import numpy as np
from families import BY_NAME

import keras_vae

NAMES = ("vae", "cvae", "hierarchical_vae", "ladder_vae", "pixel_cnn", "transformer_prior")
N = 100


def made(folder, name):
    """Returns the model, its data and conditions, made by the first that asks."""
    family = BY_NAME[name]
    if not (folder / name).exists():
        model = family.model()
        rng = np.random.default_rng(0)
        for weight in model.trainable_weights:  # outputs that differ, and far from 0
            weight.assign(weight + rng.normal(scale=0.3, size=weight.shape))
        model.save_to_preset(folder / name)
        x, *condition = family.pairs(N)
        if model.sample_draws == "elements":
            x = rng.integers(0, model.num_embeddings, x.shape)
        np.savez(folder / f"{name}.npz", x, *condition)
    arrays = np.load(folder / f"{name}.npz")
    return keras_vae.from_preset(folder / name), *(arrays[k] for k in arrays.files)


def main(folder, task, *backends):
    folder = Path(folder)
    for name in filter(BY_NAME.__contains__, NAMES):
        model, x, *condition = made(folder, name)
        for backend in backends:
            path = folder / f"{name}.{backend}.kvz"
            if task == "write":
                path.write_bytes(model.compress(x, *condition, batch_size=32))
                continue
            for batch_size in (1, 128) if name == "vae" else (32,):
                found = model.decompress(path.read_bytes(), *condition, batch_size=batch_size)
                np.testing.assert_array_equal(found, x, err_msg=f"{name} of {backend}")


if __name__ == "__main__":
    main(*sys.argv[1:])
