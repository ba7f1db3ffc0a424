"""Trainings that must end alike on any number of devices, and others with noise of their own.

Batches of 7 do not divide by 2 or 4, and the last one of each epoch holds one example.
"""

import contextlib

import families
import keras
import numpy as np
from keras import layers
from keras import ops
from states import largest_difference
from states import state

from keras_vae import AAE
from keras_vae import VAE
from keras_vae import VQVAE
from keras_vae import Autoencoder
from keras_vae import GaussianLikelihood
from keras_vae import MLPEncoder
from keras_vae import VectorQuantizer

NUM_EXAMPLES, BATCH_SIZE = 15, 7


def vae(seed=0):
    """With a penalty on weights, which must not count once per device."""
    x = keras.Input((6,))
    outputs = [layers.Dense(3, kernel_regularizer=keras.regularizers.L2(0.1))(x) for _ in "ab"]
    encoder, likelihood = keras.Model(x, outputs), GaussianLikelihood()
    return VAE(encoder, families.mlp((6,))[1], likelihood=likelihood, seed=seed)


def vqvae(**options):
    return VQVAE(*families.map_networks(), VectorQuantizer(4, **options), seed=0)


def aae():
    encoder, discriminator = (
        MLPEncoder((n,), m, (8,), "tanh", num_outputs=1, name=name)
        for n, m, name in ((6, 3, "encoder"), (3, 1, "discriminator"))
    )
    decoder, likelihood = families.mlp((6,))[1], GaussianLikelihood()
    return AAE(encoder, decoder, discriminator, likelihood, adversarial_weight=2.0, seed=0)


def normalised():
    x = keras.Input((6,))
    encoder = keras.Model(x, layers.BatchNormalization()(layers.Dense(3)(x)))
    return Autoencoder(encoder, families.mlp((6,))[1], GaussianLikelihood(), seed=0)


# Trained under `same_noise`, on one device and on several.
EXACT = {
    "vae": vae,
    "vqvae": lambda: vqvae(initialization="uniform", revival=None),
    "aae": aae,
}
# Each device draws for its own share, or sees only that: the devices must agree with each other.
OTHERS = {"noisy_vae": vae, "placed_vqvae": vqvae, "normalised": normalised}
ALL = {**EXACT, **OTHERS}


def data_of(name):
    shape = families.PICTURE if name.endswith("vqvae") else (6,)
    return np.random.default_rng(0).uniform(size=(NUM_EXAMPLES, *shape)).astype("float32")


@contextlib.contextmanager
def same_noise():
    """Within this context all examples of all batches are given the same noise."""
    normal = keras.random.normal

    def same(shape, *args, **kwargs):
        row = np.sin(1.0 + np.arange(shape[-1], dtype="float32"))
        return ops.broadcast_to(ops.convert_to_tensor(row), shape)

    keras.random.normal = same
    try:
        yield
    finally:
        keras.random.normal = normal


def compiled(name):
    keras.utils.set_random_seed(0)
    model = ALL[name]()
    groups = model.group_names(model.objective())
    model.compile({group: keras.optimizers.SGD(0.02, momentum=0.9) for group in groups})
    return model


def trained(name, epochs=2):
    """Returns all that a training leaves behind, and its logs, as arrays."""
    model, x = compiled(name), data_of(name)
    options = {"batch_size": BATCH_SIZE, "epochs": epochs, "verbose": 0}
    with same_noise() if name in EXACT else contextlib.nullcontext():
        logs = model.fit(x, validation_data=x[:5], validation_batch_size=4, **options)
        one = model.train_on_batch(x[:3], return_dict=True)
    logs = {k: np.array(v) for k, v in logs.history.items()}
    logs |= {f"one_{k}": np.array(v) for k, v in one.items()}
    return {**state(model), **logs}


def write(path, names=ALL):
    """Trains models, and writes what `trained` returns of them into a file."""
    np.savez(path, **{f"{n}/{k}": v for n in names for k, v in trained(n).items()})


def read(path):
    """Returns `{name: arrays}` of what `write` has written."""
    found = {}
    with np.load(path) as file:
        for key in file.files:
            name, _, of_model = key.partition("/")
            found.setdefault(name, {})[of_model] = file[key]
    return found


def check_alike(found, expected, tolerance=1e-5):
    """Compares what several devices have found with what one has, or another process."""
    assert found.keys() == expected.keys()
    for name in expected:
        difference = largest_difference(found[name], expected[name])
        assert difference <= tolerance, (name, difference)
