"""Compresses and decompresses models of every kind of file.

    codec_worker.py FOLDER make
    codec_worker.py FOLDER write THREADS BATCH_SIZE
    codec_worker.py FOLDER read THREADS BATCH_SIZE
    codec_worker.py FOLDER damage

`make` leaves presets and data in FOLDER, `write` files, and `read` reads all of them; it fails if
one gives different data, and prints how many it read. `damage` flips bits of files and truncates
them, some with a corrected checksum, and prints how many of them were refused. THREADS are the
cores that the process may use.
"""

import os
import sys
from pathlib import Path

if __name__ == "__main__" and len(sys.argv) > 3 and hasattr(os, "sched_setaffinity"):
    cores = sorted(os.sched_getaffinity(0))[: int(sys.argv[3])]
    os.sched_setaffinity(0, cores)  # before a backend counts them
    os.environ["OMP_NUM_THREADS"] = sys.argv[3]

import keras
import numpy as np
from families import BY_NAME
from families import mlp

import keras_vae
from keras_vae.codecs import file_format

FAMILIES = (
    "vae",
    "cvae",
    "hierarchical_vae",
    "ladder_vae",
    "pixel_cnn",
    "transformer_prior",
    "vqvae",
    "vqvae_with_prior",
)
LIKELIHOODS = {
    "grey levels": keras_vae.DiscretizedLogisticLikelihood,
    "classes": lambda: keras_vae.CategoricalLikelihood(5),
    "Poisson counts": keras_vae.PoissonLikelihood,
    "negative binomial counts": lambda: keras_vae.NegativeBinomialLikelihood("example"),
    "zero-inflated counts": lambda: keras_vae.ZeroInflatedNegativeBinomialLikelihood("example"),
}
KINDS = (*FAMILIES, *LIKELIHOODS)
N = 40
SHAPE = (6,)


def make(folder, kind):
    """Writes a preset of a kind, and data."""
    rng, condition = np.random.default_rng(0), []
    if kind in LIKELIHOODS:
        likelihood = LIKELIHOODS[kind]()
        encoder, _ = mlp(SHAPE)
        decoder = keras_vae.MLPDecoder(SHAPE, 3, (8,), num_parameters=likelihood.num_parameters)
        model = keras_vae.VAE(encoder, decoder, likelihood, seed=0)
        x = rng.integers(0, 5, (N, *SHAPE)).astype("float32")
        x = x * 63 / np.float32(255) if kind == "grey levels" else x
    else:
        model = BY_NAME[kind].model()
        x, *condition = BY_NAME[kind].pairs(N)
        if model.sample_draws == "elements":
            x = rng.integers(0, model.num_embeddings, x.shape)
    for weight in model.trainable_weights:  # outputs that differ, and far from 0
        weight.assign(weight + rng.normal(scale=0.3, size=weight.shape))
    model.save_to_preset(folder / kind)
    np.savez(folder / f"{kind}.npz", x, *condition)


def expected_of(model, x, condition):
    """Returns what a file gives back: x, or what the decoder makes of its codes."""
    if model.encode_gives != "codes":
        return x
    indices = model.encode_indices(x, *condition)
    return model.decode_indices(indices, *(condition if model.condition else ()))


def refused(model, data, condition, num_trials=500):
    """Returns the number of trials in which damage raises a `ValueError`."""
    rng, count = np.random.default_rng(0), 0
    for trial in range(num_trials):
        damaged = bytearray(data)
        if trial % 2:
            damaged[rng.integers(len(data))] ^= 1 << rng.integers(8)
        else:
            del damaged[rng.integers(len(data)) :]
        if trial % 10 == 1:  # as if no checksum of the file had found it
            body = bytes(damaged[:-8])
            damaged = body + file_format._checksum(body)
        if bytes(damaged) == data:
            damaged = data[:-1]
        try:
            model.decompress(bytes(damaged), *condition)
        except ValueError:
            count += 1
    return count


def main(folder, task, threads="1", batch_size="32"):
    folder, num_read = Path(folder), 0
    for kind in KINDS:
        if task == "make":
            make(folder, kind)
            continue
        model = keras_vae.from_preset(folder / kind)
        arrays = np.load(folder / f"{kind}.npz")
        x, *condition = (arrays[k] for k in arrays.files)
        if task == "write":
            name = f"{kind}.{keras.config.backend()}.{threads}.{batch_size}.kvz"
            data = model.compress(x, *condition, batch_size=int(batch_size))
            (folder / name).write_bytes(data)
            continue
        if task == "damage":
            num_read += refused(model, model.compress(x, *condition), condition)
            continue
        for path in sorted(folder.glob(f"{kind}.*.kvz")):
            found = model.decompress(path.read_bytes(), *condition, batch_size=int(batch_size))
            wanted = expected_of(model, x, condition)
            if model.encode_gives == "codes":  # equal codes, which decoders show nearly alike
                np.testing.assert_allclose(found, wanted, atol=1e-4, err_msg=path.name)
            else:
                np.testing.assert_array_equal(found, wanted, err_msg=path.name)
            num_read += 1
    print(num_read)


if __name__ == "__main__":
    main(*sys.argv[1:])
