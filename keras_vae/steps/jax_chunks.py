"""Many steps of a training in one compiled call on JAX."""

from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np

from keras_vae.steps.chunks import STEPS_A_CALL
from keras_vae.steps.chunks import Chunks


class JAXChunks(Chunks):
    """Chunks of one shape, so that one function is compiled: the last batch of an epoch, where it
    is short, comes alone."""

    def __init__(self, batches: Any) -> None:
        super().__init__(batches)
        self.num_full, rest = divmod(batches.num_examples, batches.batch_size)
        self.num_calls = -(-self.num_full // STEPS_A_CALL)
        self.has_short = rest > 0

    def __len__(self) -> int:
        return self.num_calls + self.has_short

    def __getitem__(self, index: int) -> tuple:
        """Returns `(count, chunk)`: the number of steps, and what `run` is given of their data."""
        if index == self.num_calls:
            return np.int32(1), self._chunk([self.num_full])
        first = index * STEPS_A_CALL
        count = min(STEPS_A_CALL, self.num_full - first)
        # What lies beyond `count` is not used.
        return np.int32(count), self._chunk(first + np.arange(STEPS_A_CALL) % count)

    def is_worth_residing(self) -> bool:
        # On a processor a copy of all takes longer than to gather an epoch's rows by NumPy.
        return jax.default_backend() != "cpu"

    def _chunk(self, indices):
        size = self.batches.batch_size
        if self.batches.is_of_rows:
            order = self.batches.order.astype("int32")
            rows = np.stack([order[i * size : (i + 1) * size] for i in indices])
            return rows if self.resident is not None else tuple(a[rows] for a in self.batches.data)
        distinct = {i: self.batches[i] for i in dict.fromkeys(indices)}
        return keras.tree.map_structure(
            lambda *parts: np.stack(parts), *[distinct[i] for i in indices]
        )

    def steps_of(self, call: int) -> int:
        return min((call + 1) * STEPS_A_CALL, self.num_full) + (call >= self.num_calls)


def run(train_step: Callable, state: Any, resident: Any, count: Any, chunk: Any) -> Any:
    """Makes `count` steps, and returns the state after them.

    Args:
        train_step: Function of a state and a batch to `(logs, state)`.
        state: What a step changes.
        resident: Tuple of arrays (N, ...) on the device, or `None`.
        count: Int scalar.
        chunk: Of resident arrays the rows of the batches, (n, B); else the batches, (n, B, ...).
    """

    def one(i, state):
        part = jax.tree.map(lambda a: a[i], chunk)
        batch = part if resident is None else tuple(a[part] for a in resident)
        _, state = train_step(state, batch)
        return state

    return jax.lax.fori_loop(0, count, one, state)


def is_worth_it(model: Any) -> bool:
    """Whether many steps can be made in one call, and faster than in as many calls.

    Layers that are not built yet are built by Keras, on a batch. In loops XLA computes gradients of
    convolutions on processors by code that is slower by far.
    """
    if not all(layer.built for layer in model._flatten_layers()):
        return False
    # A bias may have the shape of a picture.
    has_kernels = any(len(v.shape) > 2 and v.name != "bias" for v in model.trainable_variables)
    return not (has_kernels and jax.default_backend() == "cpu")
