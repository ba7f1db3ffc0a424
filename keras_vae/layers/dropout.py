"""Dropout with noise from the model's own generator."""

import keras
from keras import ops

from keras_vae.typing import Seed
from keras_vae.typing import Tensor


def dropped(x: Tensor, rate: float, seed: Seed) -> Tensor:
    """Returns x with a fraction `rate` of its elements set to 0 and the others divided by 1 - rate.

    Args:
        x: Tensor.
        rate: Float in [0, 1). At 0 nothing is drawn.
        seed: `keras.random.SeedGenerator` to draw from.
    """
    if not rate:
        return x
    kept = keras.random.uniform(ops.shape(x), seed=seed) >= rate
    return x * ops.cast(kept, x.dtype) / (1 - rate)
