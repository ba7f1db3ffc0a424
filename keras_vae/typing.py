"""Type aliases for the signatures of this library."""

from typing import Any
from typing import TypeAlias

import keras

Tensor: TypeAlias = Any  # of the current backend, or convertible to one: an array, a variable
Array: TypeAlias = Any  # convertible to a NumPy array
Shape: TypeAlias = tuple[int, ...]  # of one example, without the batch axis
Weight: TypeAlias = float | keras.optimizers.schedules.LearningRateSchedule
Seed: TypeAlias = int | keras.random.SeedGenerator | None
