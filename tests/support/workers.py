"""Runs the scripts `*_worker.py` of the tests in processes of their own."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras

TESTS = Path(__file__).parents[1]
SUPPORT = Path(__file__).parent
TIMEOUT = 300  # seconds


def run_worker(script, *arguments, backend=None, num_devices=1, **environment):
    """Runs `tests/<script>.py` and returns what it printed; fails the test where it failed.

    Args:
        script: name of a file in `tests/`, or below it, without ".py".
        arguments: its command line, turned into strings.
        backend: the worker's Keras backend, by default that of this process.
        num_devices: how many devices JAX splits the CPU into.
        environment: further environment variables.
    """
    backend = backend or keras.config.backend()
    # TensorFlow was seen to crash in a thread of its own, once in many runs.
    for _ in range(2 if backend == "tensorflow" else 1):
        worker = _started(script, arguments, backend, num_devices, environment)
        out, err = worker.communicate(timeout=TIMEOUT)
        if worker.returncode >= 0:
            break
    _check_ended(script, worker, out, err)
    return out


def run_together(script, arguments_of_each, environment_of_each=({}, {})):
    """Runs `tests/<script>.py` as two processes that wait for each other; fails the test where one
    failed.

    Args:
        script: name of a file in `tests/`, or below it, without ".py".
        arguments_of_each: their command lines.
        environment_of_each: their further environment variables.
    """
    backend = keras.config.backend()
    workers = [
        _started(script, arguments, backend, 1, environment)
        for arguments, environment in zip(arguments_of_each, environment_of_each, strict=True)
    ]
    try:
        told = [worker.communicate(timeout=TIMEOUT) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()  # does nothing to one that has ended
    for worker, (out, err) in zip(workers, told, strict=True):
        _check_ended(script, worker, out, err)


def free_ports(number=1):
    """Returns ports of this machine that nobody listens to."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def config_of_worker(place, ports):
    """Returns the `TF_CONFIG` of one of several workers on this machine."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    return json.dumps({"cluster": cluster, "task": {"type": "worker", "index": place}})


def _started(script, arguments, backend, num_devices, environment):
    path = os.pathsep.join([str(TESTS.parent), str(SUPPORT), os.environ.get("PYTHONPATH", "")])
    devices = f"--xla_force_host_platform_device_count={num_devices}"
    return subprocess.Popen(
        [sys.executable, str(TESTS / f"{script}.py"), *map(str, arguments)],
        env={
            **os.environ,
            "PYTHONPATH": path,
            "KERAS_BACKEND": backend,
            "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {devices}",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _check_ended(script, worker, out, err):
    told = f"{out[-2000:]}\n{err[-6000:]}"
    assert worker.returncode == 0, f"{script} ended with {worker.returncode}:\n{told}"
