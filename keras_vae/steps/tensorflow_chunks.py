"""Many training steps in one call on TensorFlow."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_vae.steps.chunks import Chunks


class TensorFlowChunks(Chunks):
    """Chunks that are fetched by index if they are row indices: Keras' data set for a `PyDataset`
    has its own thread and graph, which cost more than the chunks themselves."""

    def given_to_keras(self) -> Any:
        return self if self.resident is None else tf.data.Dataset.range(len(self))

    def next(self, iterator: Any) -> tuple:
        """Returns the next chunk from the object that Keras iterates over."""
        given = next(iterator)
        if self.resident is None:
            return given
        index = int(given)
        if index == 0:
            self.on_epoch_begin()
        return keras.tree.map_structure(tf.convert_to_tensor, self[index])


def compiled(model: Any) -> Callable:
    """Returns a function that runs the steps of a chunk, and returns the logs after them.

    Its arguments are the arrays on the device, or `None`; a chunk of `Chunks`; and the batch size.
    """
    # As in Keras, the step may be compiled by XLA, but not the loop.
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

    They cannot if layers must still be built by Keras on a batch, or if a strategy distributes
    batches.
    """
    is_plain = not model.run_eagerly and model.steps_per_execution == 1
    return is_plain and is_alone(model) and all(layer.built for layer in model._flatten_layers())


def is_alone(model: Any) -> bool:
    """Whether no strategy distributes the batches of a model."""
    default = tf.distribute.get_strategy()
    return not tf.distribute.has_strategy() and model.distribute_strategy is default
