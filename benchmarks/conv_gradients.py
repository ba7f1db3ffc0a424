"""How long the gradients of the convolutional networks take, backend against backend.

One process a backend, each pinned to the same number of cores, takes turns at one forward and
backward pass of a VAE on 28 x 28 pictures, batch 128. "transposed" is the decoder of the Keras
example (Conv2DTranspose), for contrast. The least time of a few passes is a round's; the table
gives the median of the rounds, and each backend's time in units of torch's.

    python benchmarks/conv_gradients.py --rounds 5 --cores 1
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time

BACKENDS = ("torch", "jax", "tensorflow")
NETWORKS = ("conv", "resnet", "transposed")
BATCH, LATENT_DIM, PASSES = 128, 16, 5


def build(name):
    import keras
    from keras import layers

    from keras_vae.networks import ConvDecoder
    from keras_vae.networks import ConvEncoder
    from keras_vae.networks import ResNetDecoder
    from keras_vae.networks import ResNetEncoder

    shape = (28, 28, 1)
    if name == "resnet":
        return ResNetEncoder(shape, LATENT_DIM), ResNetDecoder(shape, LATENT_DIM)
    if name == "conv":
        return ConvEncoder(shape, LATENT_DIM), ConvDecoder(shape, LATENT_DIM)
    transposed = [
        keras.Input((LATENT_DIM,)),
        layers.Dense(7 * 7 * 64, activation="relu"),
        layers.Reshape((7, 7, 64)),
        layers.Conv2DTranspose(64, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(1, 3, padding="same"),
    ]
    return ConvEncoder(shape, LATENT_DIM), keras.Sequential(transposed)


def negative_elbo(z_mean, z_log_var, noise, decode, x):
    from keras import ops

    logits = decode(z_mean + ops.exp(0.5 * z_log_var) * noise)
    nll = ops.sum(ops.softplus(logits) - x * logits)
    return nll + 0.5 * ops.sum(z_mean**2 + ops.exp(z_log_var) - 1.0 - z_log_var)


def jax_pass(encoder, decoder, x, noise):
    import jax

    def loss(weights):
        (z_mean, z_log_var), _ = encoder.stateless_call(weights[0], [], x)
        decode = lambda z: decoder.stateless_call(weights[1], [], z)[0]  # noqa: E731
        return negative_elbo(z_mean, z_log_var, noise, decode, x)

    step = jax.jit(jax.value_and_grad(loss))
    weights = tuple([v.value for v in net.trainable_variables] for net in (encoder, decoder))
    return lambda: jax.block_until_ready(step(weights))


def torch_pass(encoder, decoder, x, noise):
    import torch

    weights = [v.value for net in (encoder, decoder) for v in net.trainable_variables]
    return lambda: torch.autograd.grad(negative_elbo(*encoder(x), noise, decoder, x), weights)


def tensorflow_pass(encoder, decoder, x, noise):
    import tensorflow as tf

    weights = [v.value for net in (encoder, decoder) for v in net.trainable_variables]

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = negative_elbo(*encoder(x), noise, decoder, x)
        return tape.gradient(loss, weights)

    return lambda: [g.numpy() for g in step()]


def serve(backend):
    """A worker: builds every network, then times one whenever its name arrives on stdin."""
    import numpy as np
    from keras import ops

    rng = np.random.default_rng(0)
    x = ops.convert_to_tensor(rng.random((BATCH, 28, 28, 1), dtype="float32"))
    noise = ops.convert_to_tensor(rng.standard_normal((BATCH, LATENT_DIM), dtype="float32"))
    make_pass = {"jax": jax_pass, "torch": torch_pass, "tensorflow": tensorflow_pass}[backend]
    passes = {name: make_pass(*build(name), x, noise) for name in NETWORKS}
    for run in passes.values():
        run()  # compiles
    print("ready", flush=True)
    for line in sys.stdin:
        seconds = []
        for _ in range(PASSES):
            start = time.perf_counter()
            passes[line.strip()]()
            seconds.append(time.perf_counter() - start)
        print(min(seconds), flush=True)


def start_worker(backend, cores):
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    threads = {"OMP_NUM_THREADS": str(cores), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment = {**os.environ, **threads, "KERAS_BACKEND": backend, "PYTHONPATH": path}
    worker = subprocess.Popen(
        [sys.executable, __file__, "--cores", str(cores), "--worker", backend],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    if worker.stdout.readline().strip() != "ready":
        raise RuntimeError(f"The worker for {backend} ended early; its error stands above.")
    return worker


def ask(worker, name):
    print(name, file=worker.stdin, flush=True)
    return float(worker.stdout.readline())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--worker", choices=BACKENDS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # XLA has no other setting for its number of threads
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-arguments.cores :])
    if arguments.worker:
        return serve(arguments.worker)

    backends = [name for name in BACKENDS if importlib.util.find_spec(name)]
    workers = {name: start_worker(name, arguments.cores) for name in backends}
    seconds = {(backend, name): [] for backend in backends for name in NETWORKS}
    for _ in range(arguments.rounds):
        for backend, name in seconds:
            seconds[backend, name].append(ask(workers[backend], name))
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()
    print(f"{'network':12}{'backend':12}{'ms':>9}{'x torch':>9}")
    for name in NETWORKS:
        unit = statistics.median(seconds.get(("torch", name), [float("nan")]))
        for backend in backends:
            median = statistics.median(seconds[backend, name])
            print(f"{name:12}{backend:12}{1e3 * median:9.1f}{median / unit:9.2f}")


if __name__ == "__main__":
    main()
