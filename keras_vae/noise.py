"""The sole source of a model's random numbers."""

import contextlib
import contextvars
import hashlib
import random
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.typing import Tensor

MAX_SEED = 2**31  # torch rejects seeds of this size or more; JAX rejects negative seeds


def child_seed(seed: int, tag: str) -> int:
    """Derives an independent seed for the stream named `tag`.

    The seed is hashed, because on torch the generators of neighbouring seeds, such as `seed` and
    `seed + 1`, produce lagged copies of the same numbers.

    Args:
        seed: Integer in [0, 2**31).
        tag: String, the name of the stream.

    Returns:
        Integer in [0, 2**31).
    """
    digest = hashlib.blake2b(f"{seed}/{tag}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % MAX_SEED


def seed_of_part(seed: Any, tag: str) -> Any:
    """Returns the seed of one of several draws that are made with `seed`.

    A generator advances by itself. An integer would give all draws the same numbers, so each gets
    the child seed of its tag.

    Args:
        seed: Integer, `keras.random.SeedGenerator` or `None`.
        tag: String, the name of the draw.
    """
    return child_seed(seed, tag) if isinstance(seed, int) else seed


def check_seed(seed: Any) -> int:
    """Returns `seed` as a Python int, or a fresh one for `None`.

    As in Keras, a fresh seed comes from Python's `random`, which `keras.utils.set_random_seed`
    controls.

    Raises:
        ValueError: If `seed` is not an integer in [0, 2**31), the range valid on every backend.
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


class PassedStream(keras.random.SeedGenerator):
    """A stream whose state is a value that is passed along, not a variable shared by calls.

    Args:
        state: uint32 array (2,), like the state of a `SeedGenerator`.
        dtype: String, the dtype of seeds on this backend.
    """

    def __init__(self, state: Tensor, dtype: str) -> None:  # Keras' would create a variable
        self.state = ops.convert_to_tensor(state, dtype)

    def next(self, ordered: bool = True) -> Tensor:
        """Returns the seed of the next draw."""
        seed = self.state
        self.state = ops.add(seed, ops.convert_to_tensor(np.array([0, 1]), seed.dtype))
        return seed


# {id of a source: the stream it draws from in this call}, separately for each thread.
_STREAMS: contextvars.ContextVar = contextvars.ContextVar(
    "keras_vae_streams", default=MappingProxyType({})
)


@keras.saving.register_keras_serializable(package="keras_vae")
class NoiseSource(keras.layers.Layer):
    """Two streams of random numbers: one for training, one for everything else.

    Training draws from `training_stream`. Evaluation draws from `evaluation_stream`, which
    `evaluate` resets, so that validation never affects training and evaluating twice gives the
    same number. The state of both streams is saved with the model, so that a resumed run continues
    with the numbers that an uninterrupted run would have drawn. (Keras by itself does not save the
    state of a `SeedGenerator`.)

    Args:
        seed: Integer in [0, 2**31), or `None` for a fresh seed.
        generator_class: `keras.random.SeedGenerator`, or a subclass that a backend needs for
            training on several devices.

    Raises:
        ValueError: If `seed` is neither `None` nor an integer in [0, 2**31).

    Example:

    ```python
    noise = NoiseSource(seed=0)
    z = posterior.sample(noise.stream(training=True))
    ```
    """

    def __init__(
        self,
        seed: int | None = None,
        generator_class: type[keras.random.SeedGenerator] = keras.random.SeedGenerator,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.seed = check_seed(seed)
        self.training_stream = generator_class(child_seed(self.seed, "training"))
        self.evaluation_stream = generator_class(child_seed(self.seed, "evaluation"))
        self.built = True

    def stream(self, training: bool) -> keras.random.SeedGenerator:
        """Returns the generator to draw from in training, or outside it."""
        if training:
            return self.training_stream
        return _STREAMS.get().get(id(self), self.evaluation_stream)

    def reset_evaluation(self) -> None:
        """Resets the evaluation stream to its first draw."""
        self.evaluation_stream.state.assign(_start(child_seed(self.seed, "evaluation")))

    def seeded(self, seed: int | None = None) -> contextlib.AbstractContextManager:
        """Returns a context that draws from `seed` outside training.

        It applies to this thread only, and does not change the evaluation stream: results with a
        seed do not depend on other threads.

        Args:
            seed: Integer in [0, 2**31), or `None` for fresh noise.

        Raises:
            ValueError: If `seed` is neither `None` nor an integer in [0, 2**31).
        """
        return self.drawing_from(_start(child_seed(check_seed(seed), "generation")))

    @contextlib.contextmanager
    def drawing_from(self, state: Tensor) -> Iterator[PassedStream]:
        """Within this context draws outside training, in this thread only, start at `state`.

        This also works in compiled functions, whose noise is then an argument.
        """
        stream = PassedStream(state, self.evaluation_stream.state.dtype)
        token = _STREAMS.set({**_STREAMS.get(), id(self): stream})
        try:
            yield stream
        finally:
            _STREAMS.reset(token)

    @property
    def evaluation_state(self) -> Tensor:
        """State of the stream that is currently drawn from outside training."""
        state = self.stream(training=False).state
        return state if self._is_passed() else state.value

    @evaluation_state.setter
    def evaluation_state(self, state: Tensor) -> None:
        if self._is_passed():
            self.stream(training=False).state = state
        else:
            self.evaluation_stream.state.assign(state)

    def _is_passed(self):
        return id(self) in _STREAMS.get()

    def restart(self, seed: int) -> None:
        """Restarts both streams from another seed."""
        self.seed = check_seed(seed)
        for name in ("training", "evaluation"):
            getattr(self, f"{name}_stream").state.assign(_start(child_seed(self.seed, name)))

    def save_own_variables(self, store: Any) -> None:
        for key in ("training_stream", "evaluation_stream"):
            store[key] = keras.ops.convert_to_numpy(getattr(self, key).state)
        store["seed"] = np.array(self.seed, "uint32")

    def load_own_variables(self, store: Any) -> None:
        for key in ("training_stream", "evaluation_stream"):
            getattr(self, key).state.assign(np.asarray(store[key], "uint32"))
        if "seed" in store:  # older files do not hold it
            self.seed = int(np.asarray(store["seed"]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


def _start(seed):
    """Returns the state of a stream before its first draw."""
    return np.array([seed, 0], "uint32")
