"""Batches of sequences of similar length, so that little padding is computed."""

import math
from typing import Any

import numpy as np

from keras_vae.checks import check_count
from keras_vae.datasets.batches import Batches
from keras_vae.tokens import PADDING
from keras_vae.typing import Array


class LengthBatches(Batches):
    """`Batches` of token sequences from one length bucket each, trimmed to the bucket's length.

    Sequences of 1 to w tokens form one bucket, those of w + 1 to 2 w the next. The batches of all
    buckets come in an order determined by the seed and the epoch. A compiled step is compiled once
    for each bucket's length.

    Args:
        x: Integer array (N, T), rows of tokens padded with 0.
        width: Integer, w.
        batch_size, seed, shuffle, clock: See `Batches`.

    Raises:
        ValueError: As for `Batches`, or if x is not (N, T) or `width` is not positive.

    Example:

    ```python
    data = keras_vae.datasets.load_text("sentences.txt.gz")
    model.fit(LengthBatches(data.train.x, batch_size=64), epochs=10, shuffle=False)
    ```
    """

    def __init__(self, x: Array, *, width: int = 4, **kwargs: Any) -> None:
        super().__init__(x, **kwargs)
        (tokens,) = self.data
        if tokens.ndim != 2:
            raise ValueError(f"`x` must be rows of tokens (N, T). Received: shape {tokens.shape}.")
        self.width = check_count("width", width)
        lengths = np.maximum((tokens != PADDING).sum(axis=1), 1)
        self._bucket_of = -(-lengths // self.width)

    def __len__(self) -> int:
        """Returns the number of batches per epoch."""
        _, counts = np.unique(self._bucket_of, return_counts=True)
        return sum(math.ceil(count / self.batch_size) for count in counts.tolist())

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Returns batch `index` of the current epoch, or of the first if none has begun."""
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        if self._epoch is None:
            self._epoch = self._epoch_now()
        rows = self._epoch[1][index]
        length = int(self._bucket_of[rows[0]]) * self.width
        return (self.data[0][rows, :length],)

    def in_order(self) -> Batches:
        """Returns batches of all rows in the order of the array, with the full length."""
        return Batches(self.data[0], batch_size=self.batch_size, seed=self.seed, shuffle=False)

    def _epoch_now(self):
        """Returns `(key, batches)`, each batch an array of rows, of an epoch beginning now."""
        key, order = super()._epoch_now()
        buckets = self._bucket_of[order]
        batches = [
            of_bucket[start : start + self.batch_size]
            for bucket in np.unique(buckets)
            for of_bucket in [order[buckets == bucket]]
            for start in range(0, len(of_bucket), self.batch_size)
        ]
        if self.shuffle:
            np.random.default_rng([self.seed, key, 0, 1]).shuffle(batches)
        return key, batches
