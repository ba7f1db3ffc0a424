"""Applies functions of a batch to many examples, with a single compiled shape."""

from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_vae.typing import Array


def padded_batches(
    arrays: Sequence[Array], batch_size: int
) -> Iterator[tuple[list[np.ndarray], int]]:
    """Yields the rows of arrays in batches of equal size, so that only one shape is compiled.

    Args:
        arrays: Sequence of arrays (N, ...).
        batch_size: Integer, the number of rows of every batch.

    Yields:
        Tuple `(batch, count)`: a list with `batch_size` rows of each array, and the number of rows
        that are examples. Only in the last batch may there be fewer examples than rows; it is
        padded with repetitions of them.
    """
    num_examples = len(arrays[0])
    for start in range(0, num_examples, batch_size):
        count = min(batch_size, num_examples - start)
        rows = start + np.resize(np.arange(count), batch_size)
        yield [np.asarray(a[rows]) for a in arrays], count


def map_batches(
    model: keras.Model,
    function: Callable[..., Any],
    *arrays: Array,
    batch_size: int = 256,
    key: Hashable = None,
) -> Any:
    """Applies a function to arrays in batches, and concatenates the results.

    Args:
        model: The model that `function` uses.
        function: Function of a batch (B, ...) of each array that returns an array (B, ...), or a
            tuple of them.
        *arrays: Arrays (N, ...).
        batch_size: Integer, B.
        key: All that `function` depends on besides the model: the next call with this key compiles
            nothing. By default every call compiles.

    Returns:
        NumPy array (N, ...), or a tuple of them.
    """
    run = model.jitted(function) if key is None else model.jitted_once(key, function)
    return run_batches(run, *arrays, batch_size=batch_size)


def run_batches(run: Callable[..., Any], *arrays: Array, batch_size: int = 256) -> Any:
    """Does what `map_batches` does, with a function already compiled by `model.jitted`."""
    pieces = [
        keras.tree.map_structure(lambda a, n=count: a[:n], run(*batch))
        for batch, count in padded_batches(arrays, min(batch_size, len(arrays[0])))
    ]
    return keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *pieces)
