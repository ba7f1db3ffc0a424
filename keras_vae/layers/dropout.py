"""Dropout whose noise the model gives."""

import keras
from keras import ops


def check_dropout(rate):
    """Returns a rate of dropout as a float.

    Raises:
        ValueError: no number in [0, 1).
    """
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise ValueError(f"`dropout` must lie in [0, 1). Received: {rate!r}.")
    return float(rate)


def dropped(x, rate, seed):
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
