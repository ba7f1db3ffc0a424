"""A photograph to latents and back, through the tiny autoencoder of picture generators."""

import numpy as np

from digits import digits
from loops import torch_device
from registry import BACKENDS
from registry import Bench
from registry import Row
from registry import Run

bench = Bench(
    "photographs",
    "Encode and decode an RGB picture with the tiny autoencoder of 64 channels (4 to a latent), "
    "with random weights. diffusers' AutoencoderTiny is the PyTorch original's.",
    "megapixels",
    options={"side": 512},
    quick={"side": 64},
    rows=[
        Row("photographs, against diffusers", "keras_vae", "diffusers/torch", backends=BACKENDS),
        Row(
            "photographs in tiles of 256, against diffusers",
            "keras_vae in tiles",
            "diffusers/torch",
            backends=BACKENDS,
        ),
    ],
    warm_ups=1,
)


def picture(side: int) -> np.ndarray:
    """Returns a picture (1, side, side, 3) with values in [0, 1], a wall of digits."""
    per_side = -(-side // 28)
    wall = digits(3 * per_side**2).reshape(3, per_side, per_side, 28, 28)
    wall = wall.transpose(1, 3, 2, 4, 0).reshape(28 * per_side, 28 * per_side, 3)
    return np.ascontiguousarray(wall[None, :side, :side], dtype="float32")


def _ours(side, tile):
    import keras_vae

    model = keras_vae.Autoencoder(
        keras_vae.TinyEncoder(),
        keras_vae.TinyDecoder(),
        keras_vae.GaussianLikelihood(value_range=(0, 1)),
    )
    x = picture(side)

    def run() -> tuple[float, float]:
        y = model.pictures(model.latents(x, tile=tile), tile=tile)
        return side * side / 1e6, float(y.mean())

    return run


@bench.contender("keras_vae")
def ours(backend: str, side: int) -> Run:
    return _ours(side, None)


@bench.contender("keras_vae in tiles")
def ours_in_tiles(backend: str, side: int) -> Run:
    return _ours(side, min(256, side))


@bench.contender("diffusers", "torch", needs="diffusers")
def diffusers(backend: str, side: int) -> Run:
    import torch
    from diffusers import AutoencoderTiny

    model = AutoencoderTiny().to(torch_device()).eval()
    x = torch.from_numpy(picture(side).transpose(0, 3, 1, 2).copy()).to(torch_device())

    def run() -> tuple[float, float]:
        with torch.no_grad():
            y = model.decode(model.encode(x).latents).sample
        return side * side / 1e6, float(y.clamp(0, 1).mean())

    return run
