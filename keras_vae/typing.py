"""Names for what signatures of this library take and give."""

from typing import Any
from typing import TypeAlias

import keras

Tensor: TypeAlias = Any  # of the running backend, or what it makes one of: an array, a variable
Array: TypeAlias = Any  # what NumPy makes an array of
Shape: TypeAlias = tuple[int, ...]  # of one example, without the batch axis
Weight: TypeAlias = float | keras.optimizers.schedules.LearningRateSchedule
Seed: TypeAlias = int | keras.random.SeedGenerator | None
