"""Draw the embedded digits `keras_vae/datasets/mnist_mini.npz` from the full MNIST.

    python zoo/make_mnist_mini.py mnist.npz

`mnist.npz` is the file that `keras.datasets.mnist.load_data()` leaves in `~/.keras/datasets`. The
draw is the same on every machine: 400 training and 100 test digits of each class, from MNIST's own
training and test parts, in MNIST's order, every pixel unchanged.
"""

import argparse
from pathlib import Path

import numpy as np

SEED = 2026
PER_CLASS = {"train": 400, "test": 100}
TARGET = Path(__file__).parents[1] / "keras_vae" / "datasets" / "mnist_mini.npz"


def draw(labels, per_class, rng):
    """Ascending indices of `per_class` examples of each class."""
    chosen = [
        rng.choice(np.flatnonzero(labels == label), per_class, replace=False)
        for label in np.unique(labels)
    ]
    return np.sort(np.concatenate(chosen))


def mini(mnist):
    """The arrays of `mnist_mini.npz` from those of `mnist.npz`."""
    rng = np.random.default_rng(SEED)
    arrays = {}
    for part, per_class in PER_CLASS.items():
        rows = draw(mnist[f"y_{part}"], per_class, rng)
        arrays[f"x_{part}"] = mnist[f"x_{part}"][rows]
        arrays[f"y_{part}"] = mnist[f"y_{part}"][rows]
    return arrays


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mnist", help="path of the full mnist.npz")
    with np.load(parser.parse_args().mnist) as mnist:
        np.savez_compressed(TARGET, **mini(mnist))
    print(f"wrote {TARGET} ({TARGET.stat().st_size:,} bytes)")
