"""A vector quantizer's forward and backward pass, in time and memory."""

from collections.abc import Callable
from typing import Any

import numpy as np

from loops import torch_device
from registry import BACKENDS
from registry import Bench
from registry import Row
from registry import Run

TITLE = """\
The search for the nearest code of {num_codes:,} for {num_rows:,} vectors, the codes, the commitment
cost, the running means of the codes, and the gradient for the vectors: straight through, of normal
random numbers, from the same codebook in both."""
BARS = {
    (2048, 512): ({"jax": 15.0, "tensorflow": 8.0, "torch": 6.0}, ("20", "8", "2.5")),
    (16384, 1024): ({"jax": 7.0, "tensorflow": 5.0, "torch": 5.0}, ("7", "5", "2.5")),
}


def arrays(num_rows: int, num_codes: int, dim: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = (1, num_rows, dim), (1, num_rows, dim), (num_codes, dim)
    return [rng.standard_normal(shape, dtype="float32") for shape in shapes]


def peer(backend: str, num_rows: int, num_codes: int, dim: int, calls: int) -> Run:
    import torch
    from vector_quantize_pytorch import VectorQuantize

    vectors, cotangent, codebook = arrays(num_rows, num_codes, dim)
    quantizer = VectorQuantize(
        dim, num_codes, decay=0.99, commitment_weight=0.25, rotation_trick=False
    )
    quantizer._codebook.embed.data.copy_(torch.from_numpy(codebook))
    device = torch_device()
    quantizer.to(device)
    z = torch.from_numpy(vectors).to(device).requires_grad_(True)
    direction = torch.from_numpy(cotangent).to(device)

    def step() -> Any:
        z_q, _, commitment = quantizer(z)
        return torch.autograd.grad((z_q * direction).mean() + commitment, z)[0]

    return repeated(step, calls)


def ours(backend: str, num_rows: int, num_codes: int, dim: int, calls: int) -> Run:
    from keras import ops

    import keras_vae

    z, direction, codebook = arrays(num_rows, num_codes, dim)
    quantizer = keras_vae.VectorQuantizer(num_codes, initialization="uniform", revival=None)
    quantizer.build(z.shape)
    quantizer.codebook.assign(codebook)
    z, direction = ops.convert_to_tensor(z), ops.convert_to_tensor(direction)

    def cost(quantized: Any) -> Any:  # theirs is a mean over rows and dimensions, ours a sum
        commitment = ops.mean(quantized.commitment) / (num_rows * dim)
        return ops.mean(quantized.z_q * direction) + 0.25 * commitment

    make = {"jax": jax_step, "tensorflow": tensorflow_step, "torch": torch_step}[backend]
    return repeated(make(quantizer, cost, z), calls)


def after_a_small_one(make: Callable[..., Run]) -> Callable[..., Run]:
    """Has a small run come first, so that memory is that of arrays, not of code that is loaded."""

    def made(backend: str, num_rows: int, num_codes: int, dim: int, calls: int) -> Run:
        make(backend, 64, 8, dim, 1)()
        return make(backend, num_rows, num_codes, dim, calls)

    return made


def repeated(step: Any, calls: int) -> Run:
    """Returns a run of several calls; its value is a number of the very first gradient."""
    values: list[float] = []

    def run() -> tuple[float, float]:
        for _ in range(calls):
            found = step()
            if not values:
                values.append(1e6 * float(found[0, 0, 0]))
        float(found[0, 0, 0])  # waits for it
        return calls, values[0]

    return run


def jax_step(quantizer: Any, cost: Any, z: Any) -> Any:
    import jax

    def cost_and_state(z, state):
        quantized, state = quantizer.stateless_call([], state, z, training=True)
        return cost(quantized), state

    gradient = jax.jit(jax.grad(cost_and_state, has_aux=True))
    state = [v.value for v in quantizer.variables]

    def step():
        nonlocal state
        found, state = gradient(z, state)
        return found

    return step


def tensorflow_step(quantizer: Any, cost: Any, z: Any) -> Any:
    import tensorflow as tf

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = cost(quantizer(z, training=True))
        return tape.gradient(value, z)

    return step


def torch_step(quantizer: Any, cost: Any, z: Any) -> Any:
    import torch

    z.requires_grad_(True)
    return lambda: torch.autograd.grad(cost(quantizer(z, training=True)), z)[0]


for (num_rows, num_codes), (bars, earlier) in BARS.items():
    size = f"{num_rows:,} x {num_codes:,}"
    bench = Bench(
        f"quantizer_{num_rows}",
        TITLE.format(num_rows=num_rows, num_codes=num_codes).replace("\n", " "),
        "calls",
        options={"num_rows": num_rows, "num_codes": num_codes, "dim": 64, "calls": 20},
        quick={"calls": 2},
        rows=[
            Row(
                f"quantizer, {size}, against vector-quantize-pytorch",
                "keras_vae",
                "vector-quantize-pytorch/torch",
                bars=bars,
                earlier=dict(zip(("jax", "tensorflow", "torch"), earlier, strict=True)),
            ),
            Row(
                f"quantizer, {size}, memory against vector-quantize-pytorch",
                "keras_vae",
                "vector-quantize-pytorch/torch",
                aims=dict.fromkeys(BACKENDS, 1 / 30),
                kind="memory",
                backends=BACKENDS,
            ),
            Row(
                f"quantizer, {size}, against our earlier checkout",
                "keras_vae",
                "before",
                backends=BACKENDS,
            ),
        ],
        warm_ups=1,
    )
    bench.contender("keras_vae", is_ours=True)(after_a_small_one(ours))
    bench.contender("vector-quantize-pytorch", "torch", needs="vector_quantize_pytorch")(
        after_a_small_one(peer)
    )
