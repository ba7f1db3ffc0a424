"""Whether JAX needs help with the gradients of strided transposed convolutions on a CPU.

The gradient for the kernel of a transposed convolution is that of the ordinary convolution that
runs the other way, with input and cotangent exchanged. Our train step uses this where JAX's own
is slow; when the ratio here comes near 1, that part of the step can go.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from registry import Bench
from registry import Row
from registry import Run

DIMENSIONS = ("NHWC", "HWIO", "NHWC")
STRIDES = (2, 2)
bench = Bench(
    "transposed_kernel_gradient",
    "The gradient for the kernel of a transposed convolution with strides of 2 and 64 channels, as "
    "in Keras' example: JAX's own, and that of the ordinary convolution with its arguments "
    "exchanged. Near 1, JAX needs our help no longer.",
    "calls",
    options={"batch_size": 128, "calls": 2},
    quick={"batch_size": 16, "calls": 1},
    rows=[
        Row(
            "kernel gradient of a transposed convolution, exchanged against JAX's own",
            "exchanged",
            "own",
            backends=("jax",),
        )
    ],
)


def arrays(batch_size: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = (batch_size, 7, 7, 64), (3, 3, 64, 64), (batch_size, 14, 14, 64)
    return [rng.standard_normal(shape, dtype="float32") for shape in shapes]


def repeated(gradient: Callable, batch_size: int, calls: int) -> Run:
    import jax

    z, kernel, cotangent = (jax.numpy.asarray(a) for a in arrays(batch_size))
    compiled = jax.jit(gradient)

    def run() -> tuple[float, float]:
        for _ in range(calls):
            found = compiled(z, kernel, cotangent).block_until_ready()
        return calls, float(found.sum())

    return run


@bench.contender("own", "jax")
def own(backend: str, batch_size: int, calls: int) -> Run:
    import jax

    def gradient(z: Any, kernel: Any, cotangent: Any) -> Any:
        def transposed(kernel):
            return jax.lax.conv_transpose(
                z, kernel, STRIDES, "SAME", dimension_numbers=DIMENSIONS, transpose_kernel=True
            )

        return jax.vjp(transposed, kernel)[1](cotangent)[0]

    return repeated(gradient, batch_size, calls)


@bench.contender("exchanged", "jax")
def exchanged(backend: str, batch_size: int, calls: int) -> Run:
    import jax

    def gradient(z: Any, kernel: Any, cotangent: Any) -> Any:
        def ordinary(kernel):
            return jax.lax.conv_general_dilated(
                cotangent, kernel, STRIDES, "SAME", dimension_numbers=DIMENSIONS
            )

        return jax.vjp(ordinary, kernel)[1](z)[0]

    return repeated(gradient, batch_size, calls)
