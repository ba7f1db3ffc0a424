"""The one owner of a model's random numbers."""

import contextlib
import hashlib
import random

import keras
import numpy as np

MAX_SEED = 2**31  # torch rejects seeds from here on, JAX negative ones


def child_seed(seed, tag):
    """Derives an independent seed for the stream named `tag`.

    Hashed, never `seed + 1`: on torch the generators of neighbouring seeds give lagged copies of
    the same numbers.

    Args:
        seed: int in [0, 2**31).
        tag: str, the stream's name.

    Returns:
        int in [0, 2**31).
    """
    digest = hashlib.blake2b(f"{seed}/{tag}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % MAX_SEED


def check_seed(seed):
    """Returns `seed` as a Python int, or a fresh one for `None`.

    A fresh seed comes from Python's `random`, as in Keras, so that
    `keras.utils.set_random_seed` governs it.

    Raises:
        ValueError: not an integer in [0, 2**31), the range valid on every backend.
    """
    if seed is None:
        return random.randint(0, MAX_SEED - 1)
    is_integer = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not is_integer or not 0 <= seed < MAX_SEED:
        raise ValueError(
            f"`seed` must be an integer from 0 to {MAX_SEED - 1}, the range that TensorFlow, JAX "
            f"and torch all take. Received: {seed!r}."
        )
    return int(seed)


@keras.saving.register_keras_serializable(package="keras_vae")
class NoiseSource(keras.layers.Layer):
    """Two streams of random numbers: one for training, one for everything else.

    Training draws from `training_stream`. Evaluation draws from `evaluation_stream`, which
    `evaluate` resets, so that validating never changes how training goes on and evaluating twice
    gives the same number. The state of both is saved with the model: a resumed run continues
    with the numbers that an uninterrupted one would have drawn. (Keras saves no
    `SeedGenerator` state by itself.)

    Args:
        seed: int in [0, 2**31), or `None` for a fresh one.
        generator_class: `keras.random.SeedGenerator` or a subclass of it, which a backend may need
            for its way of training on several devices.

    Example:

    ```python
    noise = NoiseSource(seed=0)
    z = posterior.sample(noise.stream(training=True))
    ```
    """

    def __init__(self, seed=None, generator_class=keras.random.SeedGenerator, **kwargs):
        super().__init__(**kwargs)
        self.seed = check_seed(seed)
        self.training_stream = generator_class(child_seed(self.seed, "training"))
        self.evaluation_stream = generator_class(child_seed(self.seed, "evaluation"))
        self.built = True

    def stream(self, training):
        """Returns the `keras.random.SeedGenerator` to draw from."""
        return self.training_stream if training else self.evaluation_stream

    def reset_evaluation(self):
        """Sets the evaluation stream back to its first draw."""
        self._restart_evaluation(child_seed(self.seed, "evaluation"))

    @contextlib.contextmanager
    def seeded(self, seed=None):
        """Within this context the evaluation stream runs from `seed`; afterwards it is as before.

        Args:
            seed: int in [0, 2**31), or `None` for fresh noise.
        """
        before = keras.ops.convert_to_numpy(self.evaluation_stream.state)
        self._restart_evaluation(child_seed(check_seed(seed), "generation"))
        try:
            yield
        finally:
            self.evaluation_stream.state.assign(before)

    def _restart_evaluation(self, seed):
        self.evaluation_stream.state.assign(np.array([seed, 0], "uint32"))

    def restart(self, seed: int) -> None:
        """Begins both streams anew, from another seed."""
        self.seed = check_seed(seed)
        for name in ("training", "evaluation"):
            start = np.array([child_seed(self.seed, name), 0], "uint32")
            getattr(self, f"{name}_stream").state.assign(start)

    def save_own_variables(self, store):
        for key in ("training_stream", "evaluation_stream"):
            store[key] = keras.ops.convert_to_numpy(getattr(self, key).state)
        store["seed"] = np.array(self.seed, "uint32")

    def load_own_variables(self, store):
        for key in ("training_stream", "evaluation_stream"):
            getattr(self, key).state.assign(np.asarray(store[key], "uint32"))
        if "seed" in store:  # older files do not hold it
            self.seed = int(np.asarray(store["seed"]))

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
