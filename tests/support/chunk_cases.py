"""What the tests of many steps in one call share: small models, and what `fit` is given."""

import keras
import numpy as np

import keras_vae
from keras_vae.datasets import Batches

RNG = np.random.default_rng(0)
X = RNG.uniform(size=(150, 6)).astype("float32")
LABELS = RNG.integers(0, 3, size=150)


def vae(**options):
    """A small compiled VAE of X, the same at every call."""
    keras.utils.set_random_seed(0)
    model = keras_vae.VAE(
        keras_vae.MLPEncoder((6,), 2, (4,)), keras_vae.MLPDecoder((6,), 2, (4,)), seed=0
    )
    model.compile(keras.optimizers.Adam(1e-2), **options)
    return model


def cvae():
    """The same, conditioned on LABELS."""
    keras.utils.set_random_seed(0)
    model = keras_vae.CVAE(
        keras_vae.MLPEncoder((6,), 2, (4,), condition_shape=(3,)),
        keras_vae.MLPDecoder((6,), 2, (4,), condition_shape=(3,)),
        condition=keras_vae.LabelCondition(3),
        seed=0,
    )
    model.compile("adam")
    return model


def a_hook():
    """Callbacks with a hook of batches, for which steps are made one by one."""
    return [keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)]


CASES = {
    "resident": (vae, lambda: {"x": X, "batch_size": 4}),
    "no short batch": (vae, lambda: {"x": X, "batch_size": 3}),
    "less than a call": (vae, lambda: {"x": X, "batch_size": 50}),
    "only a short batch": (vae, lambda: {"x": X, "batch_size": 200}),
    "integers": (vae, lambda: {"x": (X > 0.5).astype("uint8"), "batch_size": 4}),
    "double precision": (vae, lambda: {"x": X.astype("float64"), "batch_size": 4}),
    "weighted": (vae, lambda: {"x": X, "batch_size": 4, "sample_weight": LABELS + 0.5}),
    "labels": (cvae, lambda: {"x": X, "y": LABELS, "batch_size": 4}),
    "drawn anew": (vae, lambda: {"x": Batches(X, batch_size=4, binarize=True)}),
}
