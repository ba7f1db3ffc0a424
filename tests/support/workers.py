"""Runs the scripts `*_worker.py` of the tests in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import keras

TESTS = Path(__file__).parents[1]
SUPPORT = Path(__file__).parent


def run_worker(script, *arguments, backend=None, num_devices=1, **environment):
    """Runs `tests/<script>.py` and returns what it printed; fails the test where it failed.

    Args:
        script: name of a file in `tests/`, or below it, without ".py".
        arguments: its command line, turned into strings.
        backend: the worker's Keras backend, by default that of this process.
        num_devices: how many devices JAX takes the processor for.
        environment: further environment variables.
    """
    path = os.pathsep.join([str(TESTS.parent), str(SUPPORT), os.environ.get("PYTHONPATH", "")])
    devices = f"--xla_force_host_platform_device_count={num_devices}"
    backend = backend or keras.config.backend()
    # TensorFlow was seen to crash in a thread of its own, once in many runs.
    for _ in range(2 if backend == "tensorflow" else 1):
        done = subprocess.run(
            [sys.executable, str(TESTS / f"{script}.py"), *map(str, arguments)],
            env={
                **os.environ,
                "PYTHONPATH": path,
                "KERAS_BACKEND": backend,
                "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {devices}",
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode >= 0:
            break
    told = f"{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
    assert done.returncode == 0, f"{script} ended with {done.returncode}:\n{told}"
    return done.stdout
