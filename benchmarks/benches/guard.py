"""What the guard against numbers that are not finite costs a step."""

import importlib

from benches import mlp_fit
from registry import BACKENDS
from registry import Bench
from registry import Row
from registry import Run
from registry import UnavailableError

bench = Bench(
    "guard",
    "The training of mlp_fit with and without the guard against losses and gradients that are not "
    "finite.",
    "images",
    options=mlp_fit.bench.options,
    quick=mlp_fit.bench.quick,
    rows=[
        Row(
            "the guard, share of the fast step",
            "keras_vae",
            "no guard",
            bars=dict.fromkeys(BACKENDS, 0.03),
            aims=dict.fromkeys(BACKENDS, 0.01),
            kind="share",
        )
    ],
)


@bench.contender("keras_vae")
def guarded(backend: str, **sizes: int) -> Run:
    return mlp_fit.ours(backend, **sizes)


@bench.contender("no guard")
def unguarded(backend: str, **sizes: int) -> Run:
    _take_away(backend)
    return mlp_fit.ours(backend, **sizes)


def _take_away(backend: str) -> None:
    """Has every batch be good, in this process, so that nothing is computed to know it."""
    from keras import ops

    from keras_vae.steps.guard import Guard

    step = importlib.import_module(f"keras_vae.steps.{backend}_step")
    if not hasattr(step, "_size_of"):
        raise UnavailableError(f"the step on {backend} judges gradients in another way")
    step._size_of = lambda gradients: ops.convert_to_tensor(0.0)
    Guard.is_good = staticmethod(lambda state: ops.convert_to_tensor(True))
