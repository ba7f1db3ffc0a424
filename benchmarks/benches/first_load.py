"""How long the first preset takes to load, once the library is imported."""

from registry import BACKENDS
from registry import Bench
from registry import Row
from registry import Run

bench = Bench(
    "first_load",
    "`from_preset` of the preset that is in the package, first thing in a new process, after "
    "`import keras_vae`.",
    "loads",
    options={"preset": "vae_mnist_mini"},
    rows=[
        Row(
            "first load of a preset, beyond import",
            "keras_vae",
            None,
            bars={"jax": 0.5},
            aims={"jax": 0.2},
            earlier={"jax": "2 s"},
            kind="seconds",
        ),
        Row(
            "first load of a preset, beyond import",
            "keras_vae",
            None,
            kind="seconds",
            backends=("torch", "tensorflow"),
        ),
        Row("first load, against our earlier checkout", "keras_vae", "before", backends=BACKENDS),
    ],
    is_fresh=True,
)


@bench.contender("keras_vae", is_ours=True)
def ours(backend: str, preset: str) -> Run:
    import keras_vae

    def run() -> tuple[float, None]:
        keras_vae.from_preset(preset)
        return 1, None

    return run
