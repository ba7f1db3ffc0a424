"""What the guard against numbers that are not finite costs a step."""

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
    _switch(True)
    return mlp_fit.ours(backend, **sizes)


@bench.contender("no guard")
def unguarded(backend: str, **sizes: int) -> Run:
    _switch(False)
    return mlp_fit.ours(backend, **sizes)


def _switch(on: bool) -> None:
    """The hook: a constant of the module of the steps, read when the model is made."""
    from keras_vae.steps import step

    if not hasattr(step, "GUARD"):
        raise UnavailableError("this checkout has no guard")
    step.GUARD = on
