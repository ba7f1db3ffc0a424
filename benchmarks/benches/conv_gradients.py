"""The gradients of the convolutional networks, backend against backend."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benches.conv_fit import keras_networks
from digits import digits
from registry import BACKENDS
from registry import Bench
from registry import Row
from registry import Run

LATENT_DIM = 16


def networks(kind: str) -> tuple[Any, Any]:
    """Returns our encoder and decoder, or those of Keras' example ("transposed")."""
    import keras_vae

    shape = (28, 28, 1)
    if kind == "conv":
        return keras_vae.ConvEncoder(shape, LATENT_DIM), keras_vae.ConvDecoder(shape, LATENT_DIM)
    if kind == "resnet":
        return (
            keras_vae.ResNetEncoder(shape, LATENT_DIM),
            keras_vae.ResNetDecoder(shape, LATENT_DIM),
        )
    return keras_networks(LATENT_DIM, None)


def gradients(backend: str, kind: str, batch_size: int, calls: int) -> Run:
    """One forward and backward pass of a Bernoulli VAE, the same calls of `keras.ops` on each."""
    from keras import ops

    encoder, decoder = networks(kind)
    x = ops.convert_to_tensor(digits(batch_size))
    rng = np.random.default_rng(0)
    noise = ops.convert_to_tensor(rng.standard_normal((batch_size, LATENT_DIM), dtype="float32"))

    def cost(encode: Callable, decode: Callable) -> Any:
        z_mean, z_log_var = encode(x)
        logits = decode(z_mean + ops.exp(0.5 * z_log_var) * noise)
        nll = ops.sum(ops.softplus(logits) - x * logits)
        return nll + 0.5 * ops.sum(z_mean**2 + ops.exp(z_log_var) - 1.0 - z_log_var)

    make = {"jax": jax_pass, "tensorflow": tensorflow_pass, "torch": torch_pass}[backend]
    one_pass = make(encoder, decoder, cost)

    def run() -> tuple[float, None]:
        for _ in range(calls):
            found = one_pass()
        float(ops.convert_to_numpy(found[0]).sum())  # waits for it
        return calls, None

    return run


def jax_pass(encoder: Any, decoder: Any, cost: Callable) -> Callable:
    import jax

    def loss(weights):
        return cost(
            lambda x: encoder.stateless_call(weights[0], [], x)[0],
            lambda z: decoder.stateless_call(weights[1], [], z)[0],
        )

    step = jax.jit(jax.grad(loss))
    weights = [[v.value for v in net.trainable_variables] for net in (encoder, decoder)]
    return lambda: step(weights)[0]


def torch_pass(encoder: Any, decoder: Any, cost: Callable) -> Callable:
    import torch

    weights = [v.value for net in (encoder, decoder) for v in net.trainable_variables]
    return lambda: torch.autograd.grad(cost(encoder, decoder), weights)


def tensorflow_pass(encoder: Any, decoder: Any, cost: Callable) -> Callable:
    import tensorflow as tf

    weights = [v.value for net in (encoder, decoder) for v in net.trainable_variables]

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = cost(encoder, decoder)
        return tape.gradient(loss, weights)

    return step


for kind in ("conv", "resnet", "transposed"):
    bench = Bench(
        f"gradients_{kind}",
        "A forward and backward pass of a VAE on 28 x 28 pictures, with "
        + {"conv": "`ConvEncoder` and `ConvDecoder`.", "resnet": "the residual networks."}.get(
            kind, "the networks of Keras' example (Conv2DTranspose), outside of our train step."
        ),
        "calls",
        options={"kind": kind, "batch_size": 128, "calls": 5},
        quick={"batch_size": 16, "calls": 1},
        rows=[
            Row(
                f"gradients of the {kind} networks, against torch",
                "keras_vae",
                "keras_vae/torch",
                backends=("jax", "tensorflow"),
            ),
            Row(
                f"gradients of the {kind} networks, against our earlier checkout",
                "keras_vae",
                "before",
                backends=BACKENDS,
            ),
        ],
        warm_ups=1,
    )
    bench.contender("keras_vae", is_ours=True)(gradients)
