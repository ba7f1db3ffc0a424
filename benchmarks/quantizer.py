"""Our vector quantizer against that of vector-quantize-pytorch: time and memory of a step.

    KERAS_BACKEND=jax python benchmarks/quantizer.py

A step is the search for the nearest of K codes for N vectors, the codes, the commitment cost, the
running means of the codes, and the gradient for the vectors: straight through, of normal random
numbers, from the same codebook in both. Each quantizer has a process of its own, and they take
turns, so that a change in the machine's speed hits both alike; the ratio is of the medians. Memory
is the growth of a process from before its first step to its peak. The bars: 4 times faster, in a
tenth of the memory.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time

PEER = "vector-quantize-pytorch"


def arrays(num_rows, num_codes, dim):
    import numpy as np

    rng = np.random.default_rng(0)
    shapes = (1, num_rows, dim), (1, num_rows, dim), (num_codes, dim)
    return [rng.standard_normal(shape, dtype="float32") for shape in shapes]


def peer_step(z, direction, codebook):
    import torch
    from vector_quantize_pytorch import VectorQuantize

    quantizer = VectorQuantize(
        codebook.shape[1],
        codebook.shape[0],
        decay=0.99,
        commitment_weight=0.25,
        rotation_trick=False,
    )
    quantizer._codebook.embed.data.copy_(torch.from_numpy(codebook))
    z, direction = torch.from_numpy(z).requires_grad_(True), torch.from_numpy(direction)

    def step():
        z_q, _, commitment = quantizer(z)
        cost = (z_q * direction).mean() + commitment
        return torch.autograd.grad(cost, z)

    return step


def our_step(z, direction, codebook):
    import keras
    from keras import ops

    import keras_vae

    quantizer = keras_vae.VectorQuantizer(len(codebook), initialization="uniform", revival=None)
    quantizer.build(z.shape)
    quantizer.codebook.assign(codebook)
    z, direction = ops.convert_to_tensor(z), ops.convert_to_tensor(direction)

    def cost(quantized):
        return ops.mean(quantized.z_q * direction) + 0.25 * ops.mean(quantized.commitment)

    backend_step = {"jax": jax_step, "tensorflow": tensorflow_step, "torch": torch_step}
    return backend_step[keras.config.backend()](quantizer, cost, z)


def jax_step(quantizer, cost, z):
    import jax

    def cost_and_state(z, state):
        quantized, state = quantizer.stateless_call([], state, z, training=True)
        return cost(quantized), state

    gradient = jax.jit(jax.grad(cost_and_state, has_aux=True))
    state = [v.value for v in quantizer.variables]

    def step():
        nonlocal state
        found, state = jax.block_until_ready(gradient(z, state))
        return found

    return step


def tensorflow_step(quantizer, cost, z):
    import tensorflow as tf

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = cost(quantizer(z, training=True))
        return tape.gradient(value, z)

    return lambda: gradient().numpy()


def torch_step(quantizer, cost, z):
    import torch

    z.requires_grad_(True)
    return lambda: torch.autograd.grad(cost(quantizer(z, training=True)), z)


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def serve(make_step, sizes):
    """A worker: makes a step for each line on stdin; answers with its seconds, then its memory."""
    step = make_step(*arrays(*sizes))
    before = resident_bytes()
    step()  # compiles
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        step()
        print(time.perf_counter() - started, flush=True)
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak - before, flush=True)


def start_worker(name, arguments):
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    # Where cores are shared, threads that wait for others must not keep those from running.
    threads = {"OMP_NUM_THREADS": str(arguments.cores), "OMP_WAIT_POLICY": "PASSIVE"}
    environment = {**os.environ, **threads, "PYTHONPATH": path}
    worker = subprocess.Popen(
        [sys.executable, __file__, *sys.argv[1:], "--worker", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    if worker.stdout.readline().strip() != "ready":
        raise RuntimeError(f"The worker for {name} ended early; its error stands above.")
    return worker


def seconds_of_a_step(worker):
    print(file=worker.stdin, flush=True)
    return float(worker.stdout.readline())


def bytes_of(worker):
    worker.stdin.close()
    return float(worker.stdout.readline())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=16384)
    parser.add_argument("--codes", type=int, default=8192)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # XLA has no other setting for its number of threads
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-arguments.cores :])
    sizes = arguments.rows, arguments.codes, arguments.dim
    if arguments.worker:
        return serve(peer_step if arguments.worker == PEER else our_step, sizes)

    ours = f"keras_vae on {os.environ.get('KERAS_BACKEND', 'Keras default')}"
    workers = {name: start_worker(name, arguments) for name in (ours, PEER)}
    seconds = {name: [] for name in workers}
    for _ in range(arguments.rounds):
        for name, worker in workers.items():
            seconds[name].append(seconds_of_a_step(worker))
    time_of = {name: statistics.median(values) for name, values in seconds.items()}
    memory_of = {name: bytes_of(worker) for name, worker in workers.items()}
    print("N={} K={} d={}".format(*sizes))
    for name in workers:
        print(f"{name:24}{time_of[name]:8.3f} s{memory_of[name] / 1e6:9.0f} MB")
    print(
        f"{time_of[PEER] / time_of[ours]:.1f} times faster, in "
        f"1/{memory_of[PEER] / memory_of[ours]:.0f} of the memory"
    )


if __name__ == "__main__":
    main()
