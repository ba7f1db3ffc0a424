"""What it costs to verify weights: those of a preset read by us, against safetensors' own reader.

    python benchmarks/verification.py

Ours compares the file with its digest, theirs with nothing. Both take the same tensors from the
page cache, in turn in one process, so that a change of the speed hits all alike; so does the sha256
of the same bytes by one thread, which takes longer than the bar allows where the processor has no
instructions for SHA-2. Times are medians of the rounds, ratios are of the medians. The bar: at most
2 ms for each MB.
"""

import argparse
import hashlib
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from keras_vae.presets import read_preset
from keras_vae.presets import write_preset
from keras_vae.presets.format.preset_files import WEIGHTS

NUM_TENSORS = 16
BAR = 2.0  # ms per MB


def seconds(function):
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    shape = (NUM_TENSORS, options.megabytes * 10**6 // NUM_TENSORS // 4)
    tensors = np.random.default_rng(0).standard_normal(shape, dtype="float32")
    with tempfile.TemporaryDirectory() as folder:
        write_preset(folder, {}, {f"tensor_{i}": tensor for i, tensor in enumerate(tensors)})
        path = Path(folder) / WEIGHTS
        data = path.read_bytes()
        readers = {
            "keras_vae, verified": lambda: read_preset(folder).read_tensors(),
            "safetensors": lambda: load_file(path),
            "sha256, one thread": lambda: hashlib.sha256(data).digest(),
        }
        times = {name: [] for name in readers}
        for _ in range(options.rounds):
            for name, reader in readers.items():
                times[name].append(seconds(reader))
    cost = {k: 1000 * statistics.median(v) / options.megabytes for k, v in times.items()}
    for name, value in cost.items():
        print(f"{name:<20} {value:6.3f} ms per MB")
    ours, theirs, alone = cost.values()
    print(f"{'verified / not':<20} {ours / theirs:6.2f}")
    more = ours - theirs
    print(f"{'verification':<20} {more:6.3f} ms per MB, {more / alone:.2f} of one thread's sha256")
    print(f"{'bar':<20} {BAR:6.3f} ms per MB: {'met' if more <= BAR else 'MISSED'}")


if __name__ == "__main__":
    main()
