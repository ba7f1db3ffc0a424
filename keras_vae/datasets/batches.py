"""Shuffled batches in an order that a resumed run reproduces on any backend."""

import contextlib
import copy
import math
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_vae.arrays import to_numpy
from keras_vae.checks import check_count
from keras_vae.datasets.binarization import bernoulli
from keras_vae.datasets.binarization import check_unit_range
from keras_vae.typing import Array


class Batches(keras.utils.PyDataset):
    """Batches of arrays whose order and noise depend on seeds only.

    Each epoch has a key, the value of `clock()` at its start. Its order is
    `np.random.default_rng([seed, key]).permutation(n)`, and batch `index` is a function of
    `(seed, key, index)` only: the order in which batches are requested, the backend and the global
    seeds do not matter. If the clock reads `optimizer.iterations`, a run resumed at the end of an
    epoch sees exactly the batches that an uninterrupted run would have seen.

    `binarize=True` is dynamic binarization (Burda et al. 2016, section 5.1): the pixels of `x` are
    drawn anew from Bernoulli(x) at every use.

    Pass it to `fit` with `shuffle=False`: otherwise Keras reorders the batches with Python's global
    `random`. Omit `batch_size` and `steps_per_epoch`. In a custom loop, call `on_epoch_begin()`
    before each epoch.

    Args:
        x: Array, or dict, tuple or list of arrays, with a common first axis of length n.
        y: Targets or conditions, in the same form as `x`, or `None`.
        sample_weight: Array of shape (n,), or `None`.
        batch_size: Int. The last batch of an epoch may be smaller.
        seed: Int, at least 0.
        shuffle: Bool, whether to permute the data in each epoch.
        binarize: Bool, whether to binarize `x`, which must be one array with values in [0, 1].
        pair: Function of a batch of `x` (after binarization) and a `np.random.Generator` that
            returns the whole batch, a tuple such as `(x, condition)`, or `None`.
        clock: Callable without arguments that returns an int, at least 0, different for each
            epoch. By default it counts epochs: 0, 1, ...

    Returns:
        `batches[index]` is `(x,)`, `(x, y)` or `(x, y, sample_weight)`: new arrays with the dtypes
        of the given ones (float32 if binarized).

    Raises:
        ValueError: If there are no examples, lengths differ, `sample_weight` is given without `y`
            (Keras cannot feed it on TensorFlow), `batch_size` is not positive, or `binarize=True`
            and `x` is not a single array with values in [0, 1].

    Example:

    ```python
    data = keras_vae.datasets.load("mnist_mini")
    train = Batches(data.train.x, batch_size=100, binarize=True)
    model.fit(train, epochs=3, shuffle=False)
    ```

    Reference:
        - [Burda et al., 2016](https://arxiv.org/abs/1509.00519), "Importance weighted
          autoencoders", section 5.1
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Array | None = None,
        *,
        batch_size: int = 32,
        seed: int = 0,
        shuffle: bool = True,
        binarize: bool = False,
        pair: Callable[[Any, np.random.Generator], tuple[Any, ...]] | None = None,
        clock: Callable[[], int] | None = None,
    ) -> None:
        # One worker: several would fetch batches of the next epoch before its key is known.
        super().__init__(workers=1, use_multiprocessing=False)
        self.data = keras.tree.map_structure(to_numpy, _given_parts(x, y, sample_weight))
        self.num_examples = _common_length(self.data)
        if binarize:
            _check_binarizable(self.data[0])
        self.batch_size = check_count("batch_size", batch_size)
        self.seed = seed
        self.shuffle = shuffle
        self.binarize = binarize
        self.pair = pair
        self.clock = clock
        self._epochs_begun = 0
        # One tuple, replaced atomically: a prefetching thread never sees half of a new epoch.
        self._epoch: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        """Returns the number of batches per epoch."""
        return math.ceil(self.num_examples / self.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Returns batch `index` of the current epoch, or of the first if none has begun."""
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        key, order = self._current_epoch()
        rows = order[index * self.batch_size : (index + 1) * self.batch_size]
        # Indexing with an array copies: no batch shares the caller's memory.
        batch = keras.tree.map_structure(lambda array: array[rows], self.data)
        # index + 1, because NumPy treats the seeds [seed, key] and [seed, key, 0] alike.
        rng = np.random.default_rng([self.seed, key, index + 1])
        if self.binarize:
            batch = (bernoulli(batch[0], rng), *batch[1:])
        return batch if self.pair is None else self.pair(batch[0], rng)

    @property
    def is_of_rows(self) -> bool:
        """Whether a batch consists of rows of the arrays, with nothing computed or drawn."""
        is_made = self.binarize or self.pair is not None
        return not is_made and all(isinstance(part, np.ndarray) for part in self.data)

    @property
    def order(self) -> np.ndarray:
        """Int array (n,): the examples of the current epoch, or of the first if none has begun."""
        return self._current_epoch()[1]

    def on_epoch_begin(self) -> None:
        """Reads the epoch's key from the clock and draws its order. Called by `fit`."""
        self._epoch = self._epoch_now()
        self._epochs_begun += 1

    def in_order(self) -> "Batches":
        """Returns the same batches in the order of the arrays, and with the noise of the first
        epoch."""
        batches = copy.copy(self)
        batches.shuffle, batches.clock = False, None
        batches._epoch, batches._epochs_begun = None, 0
        return batches

    @contextlib.contextmanager
    def timed_by(self, clock: Callable[[], int]) -> Iterator[None]:
        """Within this context epochs take their keys from `clock`, unless a clock was given before.

        `fit` of this library's models uses it with the number of updates so far.
        """
        given = self.clock
        self.clock = clock if given is None else given
        try:
            yield
        finally:
            self.clock = given

    def _current_epoch(self):
        if self._epoch is None:
            self._epoch = self._epoch_now()
        return self._epoch

    def _epoch_now(self):
        """Returns `(key, order)` of an epoch beginning now."""
        key = self._epochs_begun if self.clock is None else int(self.clock())
        if not self.shuffle:
            return key, np.arange(self.num_examples)
        return key, np.random.default_rng([self.seed, key]).permutation(self.num_examples)


def _given_parts(x, y, sample_weight):
    """Returns the parts of a batch: `(x,)`, `(x, y)` or `(x, y, sample_weight)`."""
    if y is None and sample_weight is not None:
        raise ValueError(
            "`sample_weight` needs `y`: on TensorFlow Keras cannot feed weights without targets. "
            "Received: y=None. For a model without targets, pass y=x."
        )
    return tuple(part for part in (x, y, sample_weight) if part is not None)


def _common_length(parts):
    """Returns the common length of the arrays' first axis."""
    arrays = keras.tree.flatten(parts)
    lengths = {len(a) if a.ndim else None for a in arrays}
    if len(lengths) != 1 or None in lengths:
        raise ValueError(
            "`x`, `y` and `sample_weight` must be arrays with a first axis of the same length, the "
            f"number of examples. Received: shapes {[a.shape for a in arrays]}"
        )
    (length,) = lengths
    if length == 0:
        raise ValueError("There are no examples: the first axis of `x` has length 0.")
    return length


def _check_binarizable(x):
    if not isinstance(x, np.ndarray):
        raise ValueError(
            "`binarize=True` needs a single array `x`, as it cannot tell which of several arrays "
            f"holds the images. Received: x of type {type(x).__name__}. Pass the images as `x` and "
            "the rest as `y`."
        )
    check_unit_range(x)
