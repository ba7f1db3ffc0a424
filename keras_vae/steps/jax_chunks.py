"""Many training steps in one compiled call on JAX."""

from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np

from keras_vae.steps.chunks import STEPS_A_CALL
from keras_vae.steps.chunks import Chunks


class JAXChunks(Chunks):
    """Chunks of one shape, so that one function is compiled. If the last batch of an epoch is
    shorter, it comes alone."""

    def __init__(self, batches: Any) -> None:
        super().__init__(batches)
        self.num_full, rest = divmod(batches.num_examples, batches.batch_size)
        self.num_calls = -(-self.num_full // STEPS_A_CALL)
        self.has_short = rest > 0

    def __len__(self) -> int:
        return self.num_calls + self.has_short

    def __getitem__(self, index: int) -> tuple:
        """Returns `(count, chunk)`: the number of steps, and their data for `run`."""
        if index == self.num_calls:
            return np.int32(1), self._chunk([self.num_full])
        first = index * STEPS_A_CALL
        count = min(STEPS_A_CALL, self.num_full - first)
        # Entries beyond `count` are not used.
        return np.int32(count), self._chunk(first + np.arange(STEPS_A_CALL) % count)

    def is_worth_residing(self) -> bool:
        # On a CPU, copying all data takes longer than gathering an epoch's rows with NumPy.
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
        state: The state that a step changes.
        resident: Tuple of arrays (N, ...) on the device, or `None`.
        count: Int scalar.
        chunk: With resident arrays, the row indices of the batches, (n, B); otherwise the batches,
            (n, B, ...).
    """

    def one(i, state):
        part = jax.tree.map(lambda a: a[i], chunk)
        batch = part if resident is None else tuple(a[part] for a in resident)
        _, state = train_step(state, batch)
        return state

    return jax.lax.fori_loop(0, count, one, state)


def is_worth_it(model: Any) -> bool:
    """Whether many steps can be made in one call, and faster than in separate calls.

    Layers that are not built yet must be built by Keras, on a batch. On CPUs, XLA computes the
    gradients of convolutions far more slowly inside loops.
    """
    if not all(layer.built for layer in model._flatten_layers()):
        return False
    # A bias may have the shape of a picture, so more than two axes alone do not make a kernel.
    has_kernels = any(len(v.shape) > 2 and v.name != "bias" for v in model.trainable_variables)
    return not (has_kernels and jax.default_backend() == "cpu")
