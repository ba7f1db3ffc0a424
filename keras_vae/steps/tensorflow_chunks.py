"""Many steps of a training in one call on TensorFlow."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_vae.steps.chunks import Chunks


class TensorFlowChunks(Chunks):
    """Chunks that are taken by their number, where they are rows: Keras' data set of a
    `PyDataset` has a thread and a graph of its own, which cost more than they do."""

    def given_to_keras(self) -> Any:
        return self if self.resident is None else tf.data.Dataset.range(len(self))

    def next(self, iterator: Any) -> tuple:
        """Returns the next chunk of what Keras iterates over."""
        given = next(iterator)
        if self.resident is None:
            return given
        index = int(given)
        if index == 0:
            self.on_epoch_begin()
        return keras.tree.map_structure(tf.convert_to_tensor, self[index])


def compiled(model: Any) -> Callable:
    """Returns a function that makes the steps of a chunk, and returns the logs after them.

    Its arguments are the arrays on the device, or `None`; a chunk of `Chunks`; and the size of
    batches.
    """
    # As Keras does: what may be compiled by XLA is the step, and not the loop.
    step = tf.function(
        lambda batch: model.train_step(batch) and None,
        reduce_retracing=True,
        jit_compile=model.jit_compile,
        autograph=False,
    )

    @tf.function(reduce_retracing=True, autograph=False)
    def run(resident, chunk, size):
        num_rows = tf.shape(keras.tree.flatten(chunk)[0])[0]

        def one(first):
            past = tf.minimum(first + size, num_rows)
            batch = keras.tree.map_structure(lambda a: a[first:past], chunk)
            if resident is not None:
                batch = tuple(tf.gather(a, batch[0]) for a in resident)
            step(batch)
            return (past,)

        tf.while_loop(lambda first: first < num_rows, one, (tf.constant(0),))
        return model.get_metrics_result()

    return run


def is_possible(model: Any) -> bool:
    """Whether many steps can be made in one call.

    Layers that are not built yet are built by Keras, on a batch, and a strategy shares out batches.
    """
    is_plain = not model.run_eagerly and model.steps_per_execution == 1
    return is_plain and is_alone(model) and all(layer.built for layer in model._flatten_layers())


def is_alone(model: Any) -> bool:
    """Whether no strategy shares out the batches of a model."""
    default = tf.distribute.get_strategy()
    return not tf.distribute.has_strategy() and model.distribute_strategy is default
