"""Functions of a batch, applied to many examples at one compiled shape."""

import keras
import numpy as np


def padded_batches(arrays, batch_size):
    """Yields `(batch, count)`: a list with exactly `batch_size` rows of each array, of which the
    first `count` are examples; the last batch is filled up with repetitions, so that one shape is
    compiled."""
    num_examples = len(arrays[0])
    for start in range(0, num_examples, batch_size):
        count = min(batch_size, num_examples - start)
        rows = start + np.resize(np.arange(count), batch_size)
        yield [np.asarray(a[rows]) for a in arrays], count


def map_batches(model, function, *arrays, batch_size=256):
    """Returns `function(batch, ...)` for all of the arrays, concatenated.

    Args:
        model: model that `function` uses.
        function: maps a batch (B, ...) of each array to an array or a tuple of arrays (B, ...).
        arrays: arrays (N, ...).
        batch_size: int, B.

    Returns:
        NumPy array (N, ...), or a tuple of them.
    """
    return run_batches(model.jitted(function), *arrays, batch_size=batch_size)


def run_batches(run, *arrays, batch_size=256):
    """As `map_batches`, for a function that `model.jitted` has compiled, to use it again."""
    pieces = [
        keras.tree.map_structure(lambda a, n=count: a[:n], run(*batch))
        for batch, count in padded_batches(arrays, min(batch_size, len(arrays[0])))
    ]
    return keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *pieces)
