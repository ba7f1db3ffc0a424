"""Sizes and speed of compressed files, next to bounds and other formats: the table in the docs.

    python benchmarks/codecs.py ../shared/data --only vae_mnist --models /tmp/models
    python benchmarks/codecs.py ../shared/data --memory
    python benchmarks/codecs.py --table

Each case is measured on the backend of this process, and its row kept in `benchmarks/codecs.json`,
from which the last command writes the tables of `docs/codecs.md`. The data come from the folder:
`mnist.npz`, `frey_faces.npz`, `cifar10_jpeg75.npz`, `counts/smfish.npz`. The model of counts, which
has no preset, is trained here, in a minute, and kept in `--models`. Seconds are CPU seconds, of one
thread.
"""

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import numpy as np

import keras_vae
from codecs_table import read_results
from codecs_table import write_results
from keras_vae import codecs
from keras_vae.codecs.comparison import general_sizes
from keras_vae.codecs.comparison import raw_bytes


def digits(folder):
    """Returns the test digits as grey levels, (10000, 28, 28, 1)."""
    return keras_vae.datasets.load(str(folder / "mnist.npz")).test.x


def binarised(folder):
    return keras_vae.datasets.binarize(digits(folder), seed=0)


def frames(folder):
    """Returns the test frames of the recipe of `vae_frey_faces`."""
    return keras_vae.datasets.load(str(folder / "frey_faces.npz")).test.x


def photographs(folder):
    """Returns the test pictures, (10000, 32, 32, 3)."""
    return keras_vae.datasets.load(str(folder / "cifar10_jpeg75.npz")).test.x


def cells(folder, part="test"):
    """Returns the counts of 33 genes in a tenth of the cells, or in the others."""
    with np.load(folder / "counts" / "smfish.npz") as arrays:
        counts = arrays["counts"].astype("float32")
    order = np.random.default_rng(0).permutation(len(counts))
    cut = len(counts) // 10
    return counts[order[:cut] if part == "test" else order[cut:]]


def fitted(model, x, epochs, batch_size=100):
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * len(x) // batch_size)
    model.compile(keras.optimizers.Adam(rate))
    model.fit(x, epochs=epochs, batch_size=batch_size, verbose=2)
    return model


def model_of_counts(folder):
    keras.utils.set_random_seed(0)
    encoder = keras_vae.MLPEncoder((33,), 8, (64,), "tanh")  # counts of any size come in
    decoder = keras_vae.MLPDecoder((33,), 8, (64,))
    model = keras_vae.VAE(encoder, decoder, keras_vae.NegativeBinomialLikelihood(), seed=0)
    return fitted(model, cells(folder, "train"), epochs=30)


# Name: the preset, or who trains the model; the test data; their levels; what they are.
CASES = {
    "vae_mnist": ("vae_mnist", binarised, 2, "binarised digits"),
    "hierarchical_vae_mnist": ("hierarchical_vae_mnist", binarised, 2, "binarised digits"),
    "pixelcnn_mnist": ("pixelcnn_mnist", binarised, 2, "binarised digits"),
    "vae_frey_faces": ("vae_frey_faces", frames, 256, "Frey faces"),
    "vae_cifar10": ("vae_cifar10", photographs, 256, "CIFAR-10 pictures"),
    "a negative binomial VAE": (model_of_counts, cells, None, "counts of genes"),
    "vqvae_mnist": ("vqvae_mnist", digits, 256, "grey digits, lossy"),
    "vqvae_cifar10": ("vqvae_cifar10", photographs, 256, "CIFAR-10 pictures, lossy"),
}


def seconds_of(function, *arguments, **options):
    start = time.process_time()
    return function(*arguments, **options), time.process_time() - start


def model_of(case, folder, models):
    source = CASES[case][0]
    if isinstance(source, str):
        return keras_vae.from_preset(source)
    kept = models / source.__name__
    if not kept.exists():
        source(folder).save_to_preset(kept)
    return keras_vae.from_preset(kept)


def measured(case, folder, models, count):
    """Returns the row of a case."""
    _, data, num_levels, what = CASES[case]
    model, x = model_of(case, folder, models), data(folder)[:count]
    batch_size = 256 if model.sample_draws == "elements" else 64
    options = {"batch_size": batch_size}
    file, write = seconds_of(model.compress, x, **options)
    again, read = seconds_of(model.decompress, file, **options)
    info = codecs.read_info(file)
    if info.scheme != "codes" and not np.array_equal(again, x):
        raise RuntimeError(f"{case}: other data came back")
    num_levels = num_levels or int(x.max()) + 1
    levels = np.round(x * (255 if num_levels == 256 and x.max() <= 1 else 1)).astype("int32")
    raw = raw_bytes(levels, num_levels)
    _, packed = seconds_of(gzip.compress, raw, 9)
    return {
        "case": case,
        "data": what,
        "examples": len(x),
        "values": int(x.size),
        "bits": info.bits_per_dim,
        "bound": info.bound,
        "initial_bits": info.initial_bits,
        "others": {k: 8 * v / x.size for k, v in general_sizes(levels, num_levels).items()},
        "mse": float(np.mean(np.square(again - x))),
        "seconds": {"write": write, "read": read, "gzip -9": packed},
        "backend": keras.config.backend(),
    }


def peak_of(folder, count):
    """Prints by how many MB the memory of this process grows while digits are written and read."""
    model, x = keras_vae.from_preset("vae_mnist"), np.resize(binarised(folder), (count, 28, 28, 1))
    model.decompress(model.compress(x[:300]))  # compiles, and fills caches of libraries
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    file = model.compress(x)
    written = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model.decompress(file)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([(written - before) / 1024, (after - before) / 1024, x.nbytes / 2**20]))


def memory(folder, counts=(1000, 10_000)):
    rows = {}
    for count in counts:
        command = [sys.executable, __file__, str(folder), "--peak", str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows[str(count)] = json.loads(done.stdout.splitlines()[-1])
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="the folder of the data")
    parser.add_argument("--only", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--count", type=int, default=10_000, help="examples, at most")
    parser.add_argument("--models", type=Path, default=Path("runs/models"))
    parser.add_argument("--memory", action="store_true", help="peak memory at two lengths")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--table", action="store_true", help="only write the page again")
    arguments = parser.parse_args()
    if arguments.folder is None and not arguments.table:
        parser.error("give the folder of the data")
    if arguments.peak:
        peak_of(arguments.folder, arguments.peak)
        return
    if arguments.memory:
        write_results({**read_results(), "memory": memory(arguments.folder)})
    elif arguments.table:
        write_results(read_results())
    else:
        for case in arguments.only:
            row = measured(case, arguments.folder, arguments.models, arguments.count)
            print(json.dumps(row))
            write_results({**read_results(), case: row})


if __name__ == "__main__":
    main()
