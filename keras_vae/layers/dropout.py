"""Dropout whose noise the model gives."""

import keras
from keras import ops

from keras_vae.typing import Seed
from keras_vae.typing import Tensor


def dropped(x: Tensor, rate: float, seed: Seed) -> Tensor:
    """Returns x with a part `rate` of its elements at zero and the others scaled up, so that the
    mean stays.

    Args:
        x: tensor.
        rate: float in [0, 1); at 0 nothing is drawn.
        seed: `keras.random.SeedGenerator` that decides which.
    """
    if not rate:
        return x
    kept = keras.random.uniform(ops.shape(x), seed=seed) >= rate
    return x * ops.cast(kept, x.dtype) / (1 - rate)
