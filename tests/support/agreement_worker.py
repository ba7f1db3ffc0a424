"""What one backend computes for every family: agreement_worker.py FOLDER NAME.

The first to run leaves weights and presets in FOLDER; every run writes FOLDER/NAME.npz. Predictions
are those of the presets. Noise is a function of its shape alone, since the same seed gives other
noise on each backend.
"""

import sys
from pathlib import Path

import families
import keras
import numpy as np
from keras import ops
from states import assign_state
from states import state

import keras_vae

# A batch that TensorFlow traces has no size for the noise to follow. JAX compiles one step in less
# time than each of its operations.
EAGERLY = keras.config.backend() != "jax"


def same_noise(draw, defaults):
    """Returns a stand-in for `keras.random.<draw>`."""
    own_noise = getattr(keras.random, draw)
    names = ("mean", "stddev") if draw == "normal" else ("minval", "maxval")

    def noise(shape, *numbers, dtype=None, seed=None, **kwargs):
        numbers = [kwargs.get(k, d) for k, d in zip(names, numbers or defaults, strict=True)]
        try:
            sizes = [int(n) for n in shape]
        except Exception:  # a shape that stays open while a functional network is wired
            return own_noise(shape, *numbers, dtype=dtype, seed=seed)
        draws = getattr(np.random.default_rng(0), draw)(*numbers, sizes)
        return ops.convert_to_tensor(draws.astype("float32"))

    return noise


def numpy(tensors):
    return {k: ops.convert_to_numpy(v) for k, v in tensors.items()}


def terms_of(model, pairs):
    def terms(x, *y):
        return model.terms(x, model.given(*y, training=True), training=True)

    if EAGERLY:
        return terms(*map(ops.convert_to_tensor, pairs))
    return model.jitted(terms)(*pairs)


def scores_of(model, pairs):
    """Returns both scores of a family that has them; their draws are NumPy's everywhere."""
    if model.log_likelihood_is != "estimate":
        return {}
    try:
        methods = ("likelihood", "bound")
        return {f"score {m}": model.score(*pairs, method=m, num_samples=8) for m in methods}
    except NotImplementedError:  # its posterior is no Gaussian
        return {}


def trained(family, weights):
    """Returns the changes of the weights after one update of rate 1, which are the gradients, and
    after three small updates with momentum: all by one step, compiled once."""
    model = family.compiled(keras.optimizers.SGD(1.0, momentum=0.9), run_eagerly=EAGERLY)
    model.set_weights(weights)
    start, found = state(model), {}
    for what, rate, updates in (("gradient", 1.0, 1), ("three updates", 1e-3, 3)):
        assign_state(model, start)
        for optimizer in getattr(model.optimizer, "optimizers", [model.optimizer]):
            optimizer.learning_rate = rate
        before = [ops.convert_to_numpy(v) for v in model.trainable_weights]
        for _ in range(updates):
            model.train_on_batch(*family.pairs())
        after = [ops.convert_to_numpy(v) for v in model.trainable_weights]
        changes = (b - a for a, b in zip(after, before, strict=True))
        found |= {f"{what} {i}": change for i, change in enumerate(changes)}
    return found


def results(family, folder):
    model = family.model()
    weights_file = folder / f"{family.name}_weights.npz"
    if not weights_file.exists():
        np.savez(weights_file, *model.get_weights())
        if family.name != "keras_example":  # whose Sampling layer is registered nowhere
            model.save_to_preset(folder / family.name)
    with np.load(weights_file) as stored:
        weights = [stored[key] for key in stored.files]
    model.set_weights(weights)

    found = {f"term {k}": v for k, v in numpy(terms_of(model, family.pairs())).items()}
    found |= scores_of(model, family.pairs())
    found |= trained(family, weights)
    has_preset = (folder / family.name).exists()
    loaded = keras_vae.GenerativeModel.from_preset(folder / family.name) if has_preset else model
    found["predict"] = loaded.predict(family.inputs(), verbose=0)
    if has_preset:
        loaded.compile(run_eagerly=EAGERLY)
        logs = loaded.evaluate(*family.pairs(), verbose=0, return_dict=True)
        found["bound of the preset"] = np.asarray(logs["loss"])
    return found


def main(folder, name):
    keras.random.normal = same_noise("normal", (0.0, 1.0))
    keras.random.uniform = same_noise("uniform", (0.0, 1.0))
    found = {
        f"{family.name}: {key}": value
        for family in families.FAMILIES
        for key, value in results(family, folder).items()
    }
    np.savez(folder / f"{name}.npz", **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
