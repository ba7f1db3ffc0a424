"""What the choices of a user cost: the bench behind the curves of docs/performance.md.

It has no rows in the table; `curves.py` sets the options.
"""

from typing import Any

from digits import digits
from loops import LEARNING_RATE
from loops import fit
from registry import Bench
from registry import Run

bench = Bench(
    "cost",
    "One epoch of `fit` of ours.",
    "images",
    options={
        "kind": "mlp",
        "num_images": 12800,
        "batch_size": 128,
        "width": 400,
        "side": 28,
        "num_codes": 512,
        "policy": "float32",
        "jit_compile": "auto",
    },
)


@bench.contender("keras_vae")
def ours(
    backend: str,
    kind: str,
    num_images: int,
    batch_size: int,
    width: int,
    side: int,
    num_codes: int,
    policy: str,
    jit_compile: str | bool,
) -> Run:
    import keras

    keras.config.set_dtype_policy(policy)
    x = digits(num_images, side)
    model = make_model(kind, x.shape[1:], width, num_codes)
    model.compile(keras.optimizers.Adam(LEARNING_RATE), jit_compile=jit_compile)
    train = fit(model, x, batch_size)

    def run() -> tuple[float, float]:
        units, _ = train()
        return units, float(model.count_params())

    return run


def make_model(kind: str, shape: tuple[int, ...], width: int, num_codes: int) -> Any:
    """Returns the model of a curve."""
    import keras_vae

    if kind == "mlp":
        return keras_vae.VAE(
            keras_vae.MLPEncoder(shape, 20, (width,)),
            keras_vae.MLPDecoder(shape, 20, (width,)),
            seed=0,
        )
    if kind == "conv":
        return keras_vae.VAE(
            keras_vae.ConvEncoder(shape, 16), keras_vae.ConvDecoder(shape, 16), seed=0
        )
    return keras_vae.VQVAE(
        keras_vae.ConvMapEncoder(shape, 16),
        keras_vae.ConvMapDecoder(shape, 16),
        keras_vae.VectorQuantizer(num_codes),
        seed=0,
    )
