"""`tf.data` data sets whose elements are checked on the host."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def mapped(dataset: Any, parts_of: Callable, check: Callable, packed: Callable) -> Any:
    """Returns a data set whose elements are checked before they are used.

    They remain tensors in the graph; in addition, `check` reads them as NumPy arrays, ahead of the
    step that uses them. An error that it raises ends the iteration.

    Args:
        dataset: `tf.data.Dataset`, for any backend of Keras.
        parts_of: Function of an element that returns a tuple of tensors or `None`; traced once.
        check: Function of such a tuple of NumPy arrays. Its result is ignored.
        packed: Function of such a tuple that returns the new element; traced once.
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
