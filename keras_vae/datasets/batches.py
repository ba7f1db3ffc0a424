"""Shuffled batches in an order that a resumed run, on any backend, finds again."""

import contextlib
import math
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_vae.datasets.binarization import bernoulli
from keras_vae.datasets.binarization import check_unit_range
from keras_vae.typing import Array


class Batches(keras.utils.PyDataset):
    """Batches of arrays whose order and noise depend on seeds alone.

    Each epoch has a key, `clock()` at its beginning. Its order is
    `np.random.default_rng([seed, key]).permutation(n)`, and batch `index` is a function of
    `(seed, key, index)` only: the order in which batches are asked for, the backend and the global
    seeds have no say. With the clock at `optimizer.iterations`, a run resumed at the end of an
    epoch sees exactly the batches an uninterrupted one would have seen.

    `binarize=True` is dynamic binarisation (Burda et al. 2016, section 5.1): the pixels of `x` are
    drawn anew from Bernoulli(x) at every use.

    Pass it to `fit` with `shuffle=False`: otherwise Keras takes the batches in an order of its own,
    drawn from Python's global `random`. Leave `batch_size` and `steps_per_epoch` out. In a loop of
    your own, call `on_epoch_begin()` before each epoch.

    Args:
        x: array, or dict, tuple or list of arrays, that share their first axis of length n.
        y: None, or targets or conditions, as `x`.
        sample_weight: None, or array of shape (n,).
        batch_size: int; the last batch has what is left.
        seed: int, at least 0.
        shuffle: whether an epoch is a permutation of the data; otherwise it keeps their order.
        binarize: whether `x`, one array with values in [0, 1], is drawn black and white.
        pair: None, or a function of a batch of `x` (as drawn) and a `np.random.Generator` that
            makes the whole batch of them, a tuple such as `(x, condition)`, anew at every use.
        clock: None, or a callable without arguments that gives an int, at least 0, which differs
            from epoch to epoch. Without one the epochs that were begun are counted: 0, 1, 2, ...

    Returns:
        `batches[index]` is `(x,)`, `(x, y)` or `(x, y, sample_weight)`: new arrays with the dtypes
        of those given (float32 where binarised).

    Raises:
        ValueError: if there are no data, lengths differ, weights come without targets (Keras cannot
            feed them on TensorFlow), `batch_size` is not positive, or `binarize` meets several
            arrays or values outside [0, 1].

    Example:

    ```python
    data = keras_vae.datasets.load("mnist_mini")
    train = Batches(data.train.x, batch_size=100, binarize=True)
    model.fit(train, epochs=3, shuffle=False)
    ```

    Reference:
        - Burda, Grosse, Salakhutdinov, Importance weighted autoencoders, ICLR 2016,
          https://arxiv.org/abs/1509.00519
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
        self.data = keras.tree.map_structure(np.asarray, _given_parts(x, y, sample_weight))
        self.num_examples = _common_length(self.data)
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1. Received: batch_size={batch_size}")
        if binarize:
            _check_binarizable(self.data[0])
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.binarize = binarize
        self.pair = pair
        self.clock = clock
        self._epochs_begun = 0
        # One tuple, replaced at once: a prefetching thread never sees half of a new epoch.
        self._epoch: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        """The number of batches of an epoch."""
        return math.ceil(self.num_examples / self.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Batch `index` of the epoch that was begun last, or of the first if none was."""
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        if self._epoch is None:
            self._epoch = self._epoch_now()
        key, order = self._epoch
        rows = order[index * self.batch_size : (index + 1) * self.batch_size]
        # An index array copies: no batch shares the caller's memory.
        batch = keras.tree.map_structure(lambda array: array[rows], self.data)
        # index + 1, as NumPy seeds [seed, key] and [seed, key, 0] alike.
        rng = np.random.default_rng([self.seed, key, index + 1])
        if self.binarize:
            batch = (bernoulli(batch[0], rng), *batch[1:])
        return batch if self.pair is None else self.pair(batch[0], rng)

    def on_epoch_begin(self) -> None:
        """Takes the epoch's key from the clock and draws its order; `fit` calls it."""
        self._epoch = self._epoch_now()
        self._epochs_begun += 1

    @contextlib.contextmanager
    def timed_by(self, clock: Callable[[], int]) -> Iterator[None]:
        """Within this context epochs take their keys from `clock`, unless one was given before.

        `fit` of this library's models wraps itself in it with the updates made so far.
        """
        given = self.clock
        self.clock = clock if given is None else given
        try:
            yield
        finally:
            self.clock = given

    def _epoch_now(self):
        """`(key, order)` of an epoch that would begin now."""
        key = self._epochs_begun if self.clock is None else int(self.clock())
        if not self.shuffle:
            return key, np.arange(self.num_examples)
        return key, np.random.default_rng([self.seed, key]).permutation(self.num_examples)


def _given_parts(x, y, sample_weight):
    """The parts of a batch: `(x,)`, `(x, y)` or all three."""
    if y is None and sample_weight is not None:
        raise ValueError(
            "`sample_weight` needs `y`, as Keras cannot feed batches without targets but with "
            "weights on TensorFlow. Received: y=None. For a model without targets give y=x."
        )
    return tuple(part for part in (x, y, sample_weight) if part is not None)


def _common_length(parts):
    """The length of the first axis that all arrays share."""
    arrays = keras.tree.flatten(parts)
    lengths = {len(a) if a.ndim else None for a in arrays}
    if len(lengths) != 1 or None in lengths:
        raise ValueError(
            "`x`, `y` and `sample_weight` must be arrays with a first axis of one length, the "
            f"number of examples. Received: shapes {[a.shape for a in arrays]}"
        )
    (length,) = lengths
    if length == 0:
        raise ValueError("There are no examples: the first axis of `x` has length 0.")
    return length


def _check_binarizable(x):
    if not isinstance(x, np.ndarray):
        raise ValueError(
            "`binarize=True` draws one array `x` black and white, and cannot tell which of several "
            f"arrays are pictures. Received: x of type {type(x).__name__}. Give the pictures as "
            "`x` and the rest as `y`."
        )
    check_unit_range(x)
