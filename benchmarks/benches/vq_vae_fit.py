"""`fit` of the VQ-VAE of Keras' example, written with Keras alone and with ours.

https://keras.io/examples/generative/vq_vae/
"""

import math
from typing import Any

from digits import digits
from loops import LEARNING_RATE
from loops import fit
from registry import BACKENDS
from registry import Bench
from registry import Row
from registry import Run

bench = Bench(
    "vq_vae_fit",
    "One epoch of training the VQ-VAE of Keras' example: 49 codes of 128, moved by gradients from "
    "a uniform start, squared error, Adam at 1e-3, float32.",
    "images",
    options={"num_images": 1280, "batch_size": 128, "latent_dim": 16, "num_codes": 128},
    quick={"num_images": 256},
    rows=[
        Row(
            "VQ-VAE fit, against Keras' example, the same networks",
            "keras_vae",
            "keras fit",
            bars={"tensorflow": 1.1, "torch": 1.1},
            aims={"tensorflow": 1.5, "torch": 1.5},
            earlier={"tensorflow": "0.88", "torch": "0.90"},
        ),
        Row(
            "VQ-VAE fit, against Keras' example, the same networks",
            "keras_vae",
            "keras fit",
            backends=("jax",),
        ),
        Row("VQ-VAE fit, against our earlier checkout", "keras_vae", "before", backends=BACKENDS),
    ],
    warm_ups=1,
)


def networks(latent_dim: int) -> tuple[Any, Any]:
    """Returns encoder and decoder of the example."""
    import keras
    from keras import layers

    encoder = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu", strides=2, padding="same"),
            layers.Conv2D(64, 3, activation="relu", strides=2, padding="same"),
            layers.Conv2D(latent_dim, 1, padding="same"),
        ]
    )
    decoder = keras.Sequential(
        [
            keras.Input((7, 7, latent_dim)),
            layers.Conv2DTranspose(64, 3, activation="relu", strides=2, padding="same"),
            layers.Conv2DTranspose(32, 3, activation="relu", strides=2, padding="same"),
            layers.Conv2DTranspose(1, 3, padding="same"),
        ]
    )
    return encoder, decoder


@bench.contender("keras_vae", is_ours=True)
def ours(backend: str, num_images: int, batch_size: int, latent_dim: int, num_codes: int) -> Run:
    import keras

    import keras_vae

    x = digits(num_images) - 0.5
    quantizer = keras_vae.VectorQuantizer(
        num_codes,
        update=keras_vae.quantizers.GradientUpdate(),
        initialization="uniform",
        revival=None,
    )
    # Nats of an example are this many times the example's cost, which is of means: the squared
    # error over the variance of the data, and the squared distances to the codes.
    variance = float(x.var())
    factor, num_code_values = x[0].size / 2, 7 * 7 * latent_dim
    model = keras_vae.VQVAE(
        *networks(latent_dim),
        quantizer,
        keras_vae.GaussianLikelihood(math.sqrt(variance)),
        commitment_weight=0.25 * factor / num_code_values,
        codebook_weight=factor / num_code_values,
        seed=0,
    )
    model.compile(keras.optimizers.Adam(LEARNING_RATE))
    nats = fit(model, x, batch_size)

    def run() -> tuple[float, float]:
        units, loss = nats()
        return units, loss / factor - math.log(2 * math.pi * variance)

    return run


@bench.contender("keras fit")
def keras_fit(
    backend: str, num_images: int, batch_size: int, latent_dim: int, num_codes: int
) -> Run:
    import keras

    from plain_keras import PlainVectorQuantizer

    x = digits(num_images) - 0.5
    encoder, decoder = networks(latent_dim)
    inputs = keras.Input((28, 28, 1))
    outputs = decoder(PlainVectorQuantizer(num_codes)(encoder(inputs)))
    model = keras.Model(inputs, outputs)
    variance = float(x.var())
    model.compile(
        keras.optimizers.Adam(LEARNING_RATE),
        loss=lambda x, y: keras.losses.mean_squared_error(x, y) / variance,
    )

    return fit(model, x, batch_size, x)
