"""log p(x) by importance sampling with 5,000 draws an image."""

import numpy as np

from digits import digits
from loops import torch_device
from registry import BACKENDS
from registry import Bench
from registry import Row
from registry import Run

SIZE = 28 * 28
bench = Bench(
    "nll",
    "log p(x) of binary pictures under an untrained VAE 784-400-20, by importance sampling. pythae "
    "takes one image at a time, with its default of 100 draws at once.",
    "images",
    options={"num_images": 50, "num_samples": 5000, "hidden": 400, "latent_dim": 20},
    quick={"num_images": 4, "num_samples": 500},
    rows=[
        Row(
            "NLL, 5,000 draws, against pythae",
            "keras_vae",
            "pythae/torch",
            bars={"jax": 5.0, "tensorflow": 3.5, "torch": 3.5},
            aims={"jax": 6.5, "tensorflow": 5.0, "torch": 4.4},
            earlier={"jax": "2.7", "tensorflow": "2.2", "torch": "1.7"},
        ),
        Row("NLL, against our earlier checkout", "keras_vae", "before", backends=BACKENDS),
    ],
    warm_ups=1,
)


def binary(num_images: int) -> np.ndarray:
    return (digits(num_images) > 0.5).reshape(num_images, SIZE).astype("float32")


@bench.contender("keras_vae", is_ours=True)
def ours(backend: str, num_images: int, num_samples: int, hidden: int, latent_dim: int) -> Run:
    import keras_vae

    encoder = keras_vae.MLPEncoder((SIZE,), latent_dim, (hidden,))
    decoder = keras_vae.MLPDecoder((SIZE,), latent_dim, (hidden,))
    model = keras_vae.VAE(encoder, decoder, seed=0)
    x = binary(num_images)

    def run() -> tuple[float, float]:
        return num_images, float(model.log_likelihood(x, num_samples=num_samples).mean())

    return run


@bench.contender("pythae", "torch", needs="pythae")
def pythae(backend: str, num_images: int, num_samples: int, hidden: int, latent_dim: int) -> Run:
    import torch

    from peers import pythae_vae

    model = pythae_vae(SIZE, hidden, latent_dim).to(torch_device()).eval()
    x = torch.from_numpy(binary(num_images)).to(torch_device())

    def run() -> tuple[float, float]:
        with torch.no_grad():
            return num_images, float(model.get_nll(x, n_samples=num_samples, batch_size=100))

    return run
