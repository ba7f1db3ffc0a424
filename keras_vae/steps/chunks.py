"""Many batches at a time, for calls that run many steps."""

import math
from typing import Any

import keras
import numpy as np

STEPS_A_CALL = 32
LARGEST_RESIDENT = 2**31  # maximum bytes of data that are put on the device as a whole


class Chunks(keras.utils.PyDataset):
    """The batches of a `Batches`, many at a time.

    If batches are plain rows of the arrays, these may be kept on the device as a whole, and only
    the indices of the rows are sent.

    Args:
        batches: `keras_vae.datasets.Batches`.

    Attributes:
        resident: Tuple of tensors (N, ...) on the device, or `None`.
    """

    def __init__(self, batches: Any) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self.batches = batches
        self.resident = self._resident()

    def __len__(self) -> int:
        return math.ceil(len(self.batches) / STEPS_A_CALL)

    def __getitem__(self, index: int) -> tuple:
        """Returns `(chunk,)`: the row indices (n,) of consecutive batches, or their examples
        (n, ...). Only the last batch of an epoch may be shorter than the others."""
        steps = range(index * STEPS_A_CALL, self.steps_of(index))
        if self.resident is not None:
            size = self.batches.batch_size
            return (self.batches.order[steps.start * size : steps.stop * size].astype("int32"),)
        return keras.tree.map_structure(
            lambda *parts: np.concatenate(parts), *[self.batches[i] for i in steps]
        )

    def given_to_keras(self) -> Any:
        """Returns the object that Keras iterates over."""
        return self

    def on_epoch_begin(self) -> None:
        self.batches.on_epoch_begin()

    def steps_of(self, call: int) -> int:
        """Returns the number of steps completed after call number `call`, counted from 0."""
        return min((call + 1) * STEPS_A_CALL, len(self.batches))

    def is_worth_residing(self) -> bool:
        """Whether it is faster to keep the data on the device as a whole."""
        return True

    def _resident(self):
        """Returns tensors of the whole data, or `None` if they are sent in batches."""
        arrays = self.batches.data
        if not self.batches.is_of_rows or not self.is_worth_residing():
            return None
        if sum(a.nbytes for a in arrays) > LARGEST_RESIDENT:
            return None
        return tuple(map(keras.ops.convert_to_tensor, arrays))
