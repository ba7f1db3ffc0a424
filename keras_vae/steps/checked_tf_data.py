"""`tf.data` data sets whose elements are looked at on the host."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def mapped(dataset: Any, parts_of: Callable, check: Callable, packed: Callable) -> Any:
    """Returns a data set whose elements are checked before they are used.

    They stay tensors and the graph stays as it is: beside it `check` reads them as NumPy arrays,
    ahead of the step that waits for them. An error that it raises ends the iteration.

    Args:
        dataset: `tf.data.Dataset`, on whatever backend Keras runs.
        parts_of: function of an element that returns a tuple of tensors or `None`; run once.
        check: function of such a tuple, of NumPy arrays. What it returns is ignored.
        packed: function of such a tuple that returns the new element; run once.
    """

    @tf.autograph.experimental.do_not_convert
    def checked(*element):
        parts = parts_of(element[0] if len(element) == 1 else element)
        is_there = [part is not None for part in parts]

        def look(*arrays):
            left = iter(arrays)
            check([next(left) if there else None for there in is_there])
            return True

        is_good = tf.numpy_function(look, [p for p in parts if p is not None], tf.bool)
        with tf.control_dependencies([is_good]):
            return packed([None if p is None else tf.identity(p) for p in parts])

    return dataset.map(checked).prefetch(tf.data.AUTOTUNE)
