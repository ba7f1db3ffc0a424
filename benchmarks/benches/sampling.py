"""Codes drawn one after another from a PixelCNN, remembering what the convolutions have seen."""

from typing import Any

import numpy as np

from loops import torch_device
from registry import BACKENDS
from registry import Bench
from registry import Row
from registry import Run

TITLE = """\
A grid of 16 x 16 codes of 512 from an untrained PixelCNN of 6 layers with 64 channels, {batch} at
once. pythae makes a full pass for each position: some positions are measured, and a grid counted as
256 of them, since every pass costs the same."""
BARS = {
    8: ({"jax": 130.0, "tensorflow": 60.0, "torch": 20.0}, ("133", "56", "5.4")),
    128: ({"jax": 130.0, "tensorflow": 60.0, "torch": 20.0}, ("164", "166", "57")),
}
AIMS = {"jax": 160.0, "tensorflow": 160.0, "torch": 57.0}


def model_of(grid: int, num_codes: int) -> Any:
    """Returns a PixelCNN that is not uniform, as an untrained one would be."""
    import keras_vae

    model = keras_vae.PixelCNN((grid, grid), num_codes)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(0.1 * rng.normal(size=variable.shape))
    return model


def ours(backend: str, batch: int, grid: int, num_codes: int, positions: int) -> Run:
    model = model_of(grid, num_codes)
    seeds = iter(range(10**6))

    def run() -> tuple[float, float]:
        return batch, float(model.sample(batch, seed=next(seeds)).max())

    return run


def pythae(backend: str, batch: int, grid: int, num_codes: int, positions: int) -> Run:
    """The loop of `pythae.samplers.PixelCNNSampler.sample` over the first positions."""
    import torch
    from pythae.models.normalizing_flows import PixelCNN
    from pythae.models.normalizing_flows import PixelCNNConfig

    shape = (1, grid, grid)
    config = PixelCNNConfig(input_dim=shape, n_embeddings=num_codes, n_layers=6, kernel_size=3)
    model = PixelCNN(config).to(torch_device()).eval()

    def run() -> tuple[float, float]:
        z = torch.zeros((batch, *shape), device=torch_device())
        with torch.no_grad():
            for position in range(positions):
                row, column = divmod(position, grid)
                out = model({"data": z}).out.squeeze(2)
                probabilities = torch.softmax(out[:, :, row, column], dim=-1)
                z[:, :, row, column] = torch.multinomial(probabilities, 1).float()
        return batch * positions / grid**2, float(z.max())

    return run


for batch, (bars, earlier) in BARS.items():
    bench = Bench(
        f"sampling_{batch}",
        TITLE.format(batch=batch).replace("\n", " "),
        "grids",
        options={"batch": batch, "grid": 16, "num_codes": 512, "positions": 256 // batch},
        quick={"positions": 1},
        rows=[
            Row(
                f"codes 16 x 16 from a PixelCNN, {batch} at once, against pythae",
                "keras_vae",
                "pythae/torch",
                bars=bars,
                aims=AIMS,
                earlier=dict(zip(("jax", "tensorflow", "torch"), earlier, strict=True)),
            ),
            Row(
                f"codes 16 x 16, {batch} at once, against our earlier checkout",
                "keras_vae",
                "before",
                backends=BACKENDS,
            ),
        ],
        warm_ups=1,
    )
    bench.contender("keras_vae", is_ours=True)(ours)
    bench.contender("pythae", "torch", needs="pythae")(pythae)
