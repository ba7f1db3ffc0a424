"""What it costs to verify weights: a file against its sha256, only reading it, only the sha256.

    python benchmarks/verification.py

All take the same bytes, from the page cache and from memory, in turn in one process, so that a
change of the speed hits all alike; times are medians of the rounds, ratios are of the medians. The
bar: at most 2 ms for each MB, which a processor without instructions for SHA-2 spends on the hash
alone.
"""

import argparse
import hashlib
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from keras_vae.presets import cache

_BLOCK = 1 << 18
BAR = 2.0  # ms per MB


def only_read(path):
    buffer = bytearray(_BLOCK)
    with open(path, "rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def seconds(function):
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    data = np.random.default_rng(0).bytes(options.megabytes * 10**6)
    sha256, times = hashlib.sha256(data).hexdigest(), {"verify": [], "read": [], "hash": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        path.write_bytes(data)
        for _ in range(options.rounds):
            times["verify"].append(seconds(lambda: cache.holds(path, len(data), sha256)))
            times["read"].append(seconds(lambda: only_read(path)))
            times["hash"].append(seconds(lambda: hashlib.sha256(data).digest()))
        assert cache.holds(path, len(data), sha256)
    cost = {k: 1000 * statistics.median(v) / options.megabytes for k, v in times.items()}
    for name, value in cost.items():
        print(f"{name:<8} {value:6.3f} ms per MB")
    for other in ("read", "hash"):
        print(f"verify / {other} {cost['verify'] / cost[other]:6.2f}")
    print(f"bar      {BAR:6.3f} ms per MB: {'met' if cost['verify'] <= BAR else 'MISSED'}")


if __name__ == "__main__":
    main()
