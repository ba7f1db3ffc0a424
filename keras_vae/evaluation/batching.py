"""Functions of a batch, applied to many examples at one compiled shape."""

import keras
import numpy as np


def padded_batches(x, batch_size):
    """Yields `(batch, count)`: batches of exactly `batch_size` rows, of which the first `count` are
    examples; the last batch is filled up with repetitions, so that one shape is compiled."""
    for start in range(0, len(x), batch_size):
        batch = np.asarray(x[start : start + batch_size])
        count = len(batch)
        filling = np.resize(np.arange(count), batch_size - count)
        yield np.concatenate([batch, batch[filling]]), count


def map_batches(model, function, x, batch_size=256):
    """Returns `function(batch)` for all of x, concatenated.

    Args:
        model: model that `function` uses.
        function: maps a batch (B, ...) to an array or a tuple of arrays (B, ...).
        x: array (N, ...).
        batch_size: int, B.

    Returns:
        NumPy array (N, ...), or a tuple of them.
    """
    run = model.jitted(function)
    pieces = [
        keras.tree.map_structure(lambda a, n=count: a[:n], run(batch))
        for batch, count in padded_batches(x, min(batch_size, len(x)))
    ]
    return keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *pieces)
