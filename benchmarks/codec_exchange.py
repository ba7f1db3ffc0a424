"""Compressed files of every kind, written on each backend and read on each.

    python benchmarks/codec_exchange.py
    python benchmarks/codec_exchange.py --damage

Each backend writes files with 1 core and examples one at a time, and with 2 cores and 128 at once,
and reads those of all backends in both ways. With `--damage` 500 files of each kind are damaged on
the backend of this process. The numbers are kept in `benchmarks/codecs.json`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from codecs_table import read_results
from codecs_table import write_results

ROOT = Path(__file__).parents[1]
SUPPORT = ROOT / "tests" / "support"
BACKENDS = ("tensorflow", "jax", "torch")
WAYS = (("1", "1"), ("2", "128"))  # cores, examples at once


def worker(backend, *arguments):
    """Returns the number that a worker prints."""
    path = os.pathsep.join([str(ROOT), str(SUPPORT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(SUPPORT / "codec_worker.py"), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": path, "KERAS_BACKEND": backend}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{backend} {arguments}: {done.stderr[-2000:]}")
    return int(done.stdout.splitlines()[-1])


def exchanged(folder):
    """Returns {backend: files read} of files of all backends; a worker fails on wrong data."""
    worker("torch", folder, "make")
    for backend in BACKENDS:
        for way in WAYS:
            worker(backend, folder, "write", *way)
    return {b: sum(worker(b, folder, "read", *way) for way in WAYS) for b in BACKENDS}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--damage", action="store_true", help="damage files instead")
    arguments = parser.parse_args()
    results = read_results()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.damage:
            backend = os.environ.get("KERAS_BACKEND", "torch")
            worker(backend, folder, "make")
            results["damage"] = {"refused": worker(backend, folder, "damage"), "backend": backend}
        else:
            results["exchange"] = exchanged(folder)
            results["exchange_files"] = len(list(Path(folder).glob("*.kvz")))
    write_results(results)


if __name__ == "__main__":
    main()
