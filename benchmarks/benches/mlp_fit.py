"""`fit` of the VAE 784-400-20 of most tutorials."""

import math
from typing import Any

import numpy as np

from digits import digits
from loops import LEARNING_RATE
from loops import fit
from loops import jax_loop
from loops import negative_elbo_on_jax
from loops import negative_elbo_on_tensorflow
from loops import negative_elbo_on_torch
from loops import tensorflow_loop
from loops import torch_loop
from registry import Bench
from registry import Row
from registry import Run

bench = Bench(
    "mlp_fit",
    "One epoch of training a Bernoulli VAE with layers of 784-400-20 and 20-400-784 units, "
    "Adam at 1e-3, float32. Plain loops shuffle and gather from resident data.",
    "images",
    options={"num_images": 25600, "batch_size": 128, "hidden": 400, "latent_dim": 20},
    quick={"num_images": 2560},
    rows=[
        Row(
            "MLP fit, against our earlier checkout",
            "keras_vae",
            "before",
            bars={"torch": 1.5},
            aims={"torch": 2.2},
            earlier={"torch": "1"},
            backends=("torch", "jax", "tensorflow"),
        ),
        Row(
            "MLP fit, against an eager loop with fused Adam",
            "keras_vae",
            "fused loop",
            bars={"torch": 0.6},
            aims={"torch": 0.9},
            earlier={"torch": "0.33-0.47"},
        ),
        Row(
            "MLP fit, against an eager loop",
            "keras_vae",
            "eager loop/torch",
            earlier={"torch": "0.56", "jax": "1.62", "tensorflow": "1.12"},
            backends=("torch", "jax", "tensorflow"),
        ),
        Row(
            "MLP fit, against pythae's trainer",
            "keras_vae",
            "pythae",
            bars={"torch": 1.1},
            aims={"torch": 1.5},
            earlier={"torch": "0.62"},
        ),
        Row(
            "MLP fit, against a raw scan",
            "keras_vae",
            "raw scan",
            bars={"jax": 0.93},
            aims={"jax": 1.0},
            earlier={"jax": "0.80"},
        ),
        Row(
            "MLP fit, against a compiled loop of the same step",
            "keras_vae",
            "compiled loop",
            bars={"tensorflow": 0.85},
            aims={"tensorflow": 0.95},
            earlier={"tensorflow": "0.66"},
        ),
        Row(
            "MLP fit, against a compiled loop of Keras' layers and Adam",
            "keras_vae",
            "keras loop",
            backends=("tensorflow",),
        ),
        Row(
            "MLP fit, against a compiled loop with TensorFlow's own Adam",
            "keras_vae",
            "raw loop",
            backends=("tensorflow",),
        ),
        Row(
            "MLP fit, against plain Keras `fit`",
            "keras_vae",
            "keras fit",
            backends=("torch", "jax", "tensorflow"),
        ),
    ],
)
SIZE = 28 * 28


def flat(num_images: int) -> np.ndarray:
    return digits(num_images).reshape(num_images, SIZE)


def our_model(hidden: int, latent_dim: int) -> Any:
    import keras

    import keras_vae

    encoder = keras_vae.MLPEncoder((SIZE,), latent_dim, (hidden,))
    decoder = keras_vae.MLPDecoder((SIZE,), latent_dim, (hidden,))
    model = keras_vae.VAE(encoder, decoder, seed=0)
    model.compile(keras.optimizers.Adam(LEARNING_RATE))
    return model


@bench.contender("keras_vae", is_ours=True)
def ours(backend: str, num_images: int, batch_size: int, hidden: int, latent_dim: int) -> Run:
    return fit(our_model(hidden, latent_dim), flat(num_images), batch_size)


def keras_networks(hidden: int, latent_dim: int) -> tuple[Any, Any]:
    import keras
    from keras import layers

    inputs, latents = keras.Input((SIZE,)), keras.Input((latent_dim,))
    h = layers.Dense(hidden, activation="relu")(inputs)
    encoder = keras.Model(inputs, [layers.Dense(latent_dim)(h), layers.Dense(latent_dim)(h)])
    h = layers.Dense(hidden, activation="relu")(latents)
    return encoder, keras.Model(latents, layers.Dense(SIZE)(h))


@bench.contender("keras fit")
def keras_fit(backend: str, num_images: int, batch_size: int, hidden: int, latent_dim: int) -> Run:
    import keras

    from plain_keras import PlainVAE

    model = PlainVAE(*keras_networks(hidden, latent_dim))
    model.compile(keras.optimizers.Adam(LEARNING_RATE))
    return fit(model, flat(num_images), batch_size)


def loop_on_torch(
    fused: bool, num_images: int, batch_size: int, hidden: int, latent_dim: int
) -> Run:
    from torch import nn

    encoder = nn.Sequential(nn.Linear(SIZE, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent_dim))
    decoder = nn.Sequential(nn.Linear(latent_dim, hidden), nn.ReLU(), nn.Linear(hidden, SIZE))

    def loss_of(x):
        return negative_elbo_on_torch(x, encoder, decoder)

    networks = nn.ModuleList([encoder, decoder])
    return torch_loop(networks, loss_of, flat(num_images), batch_size, fused)


@bench.contender("fused loop", "torch")
def fused_loop(backend: str, **sizes: int) -> Run:
    return loop_on_torch(True, **sizes)


@bench.contender("eager loop", "torch")
def eager_loop(backend: str, **sizes: int) -> Run:
    return loop_on_torch(False, **sizes)


def glorot(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    limit = math.sqrt(6 / sum(shape))
    return rng.uniform(-limit, limit, shape).astype("float32")


def arrays(hidden: int, latent_dim: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = [(SIZE, hidden), (hidden, 2 * latent_dim), (latent_dim, hidden), (hidden, SIZE)]
    return [a for s in shapes for a in (glorot(s, rng), np.zeros(s[1], "float32"))]


@bench.contender("raw scan", "jax")
def raw_scan(backend: str, num_images: int, batch_size: int, hidden: int, latent_dim: int) -> Run:
    import jax
    import jax.numpy as jnp

    def loss_of(weights, x, key):
        w1, b1, w2, b2, w3, b3, w4, b4 = weights

        def encode(x):
            return jnp.split(jax.nn.relu(x @ w1 + b1) @ w2 + b2, 2, axis=-1)

        def decode(z):
            return jax.nn.relu(z @ w3 + b3) @ w4 + b4

        return negative_elbo_on_jax(x, key, encode, decode)

    weights = [jnp.asarray(a) for a in arrays(hidden, latent_dim)]
    return jax_loop(weights, loss_of, flat(num_images), batch_size, scan=True)


@bench.contender("compiled loop", "tensorflow")
def compiled_loop(
    backend: str, num_images: int, batch_size: int, hidden: int, latent_dim: int
) -> Run:
    """Our own train step, looped in one graph: what `fit` adds to it."""
    import tensorflow as tf

    model, data = our_model(hidden, latent_dim), tf.constant(flat(num_images))
    model.build_optimizer()

    @tf.function
    def epoch():
        order = tf.reshape(tf.random.shuffle(tf.range(num_images)), (-1, batch_size))
        for i in tf.range(num_images // batch_size):
            model.train_step((tf.gather(data, order[i]),))
        return model.get_metrics_result()["loss"]

    def run() -> tuple[float, float]:
        model.reset_metrics()
        return num_images, float(epoch())

    return run


@bench.contender("keras loop", "tensorflow")
def keras_loop(backend: str, num_images: int, batch_size: int, hidden: int, latent_dim: int) -> Run:
    """The step of Keras' layers and Keras' Adam, looped in one graph."""
    import keras

    encoder, decoder = keras_networks(hidden, latent_dim)
    variables = encoder.trainable_variables + decoder.trainable_variables
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(variables)
    return tensorflow_loop(
        [v.value for v in variables],
        lambda x: negative_elbo_on_tensorflow(x, encoder, decoder),
        flat(num_images),
        batch_size,
        lambda gradients: optimizer.apply(gradients, variables),
    )


@bench.contender("raw loop", "tensorflow")
def raw_loop(backend: str, num_images: int, batch_size: int, hidden: int, latent_dim: int) -> Run:
    """TensorFlow's operations and its own kernel of Adam, looped in one graph."""
    import tensorflow as tf

    weights = [tf.Variable(a) for a in arrays(hidden, latent_dim)]
    w1, b1, w2, b2, w3, b3, w4, b4 = weights

    def encode(x):
        return tf.split(tf.matmul(tf.nn.relu(tf.matmul(x, w1) + b1), w2) + b2, 2, axis=-1)

    def decode(z):
        return tf.matmul(tf.nn.relu(tf.matmul(z, w3) + b3), w4) + b4

    def loss_of(x):
        return negative_elbo_on_tensorflow(x, encode, decode)

    return tensorflow_loop(weights, loss_of, flat(num_images), batch_size)


@bench.contender("pythae", "torch", needs="pythae")
def pythae_trainer(
    backend: str, num_images: int, batch_size: int, hidden: int, latent_dim: int
) -> Run:
    import atexit
    import logging
    import shutil
    import tempfile

    import torch
    from pythae.data.datasets import BaseDataset
    from pythae.trainers import BaseTrainer
    from pythae.trainers import BaseTrainerConfig
    from pythae.trainers.training_callbacks import TrainingCallback

    from peers import pythae_vae

    class Losses(TrainingCallback):
        def on_log(self, training_config, logs, **kwargs):
            self.last = float(logs["train_epoch_loss"])

    logging.disable(logging.CRITICAL)  # its trainer reports at length
    model = pythae_vae(SIZE, hidden, latent_dim)
    x = torch.from_numpy(flat(num_images))
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    config = BaseTrainerConfig(
        output_dir=folder,
        num_epochs=1,
        learning_rate=LEARNING_RATE,
        per_device_train_batch_size=batch_size,
    )

    def run() -> tuple[float, float]:
        data, losses = BaseDataset(x, torch.zeros(num_images)), Losses()
        BaseTrainer(model, data, training_config=config, callbacks=[losses]).train()
        return num_images, losses.last

    return run
