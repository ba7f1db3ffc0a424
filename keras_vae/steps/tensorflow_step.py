"""The train step on TensorFlow."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_vae.steps import tensorflow_chunks
from keras_vae.steps.tensorflow_fused import fused_updates
from keras_vae.steps.tensorflow_replicas import ReplicatedStep

_KERAS_BATCH_SIZE = 32  # Keras' default


class TensorFlowStep(ReplicatedStep):
    """Train and test steps with a `tf.GradientTape`."""

    _chunks: tensorflow_chunks.TensorFlowChunks | None

    def train_step(self, data: Any) -> Any:
        """Makes one update and returns the logs; Keras calls it."""
        with self.sharing(data) as share:
            self._update(share)
        return self.get_metrics_result()

    def _update(self, data):
        groups = self.groups()
        with (
            _after(data),
            tf.GradientTape(persistent=len(groups) > 1) as tape,
            self.forward_scope() as scope,
        ):
            costs = self.costs(data, training=True)
            scaled = [self.optimizer.scale_loss(self.weighted(c)) for c in costs.of_groups]
            is_on = self.groups_on()
        of_variable: dict[int, Any] = {}
        for group, cost in zip(groups.values(), scaled, strict=True):
            gradients = tape.gradient(
                cost,
                [v.value for v in group],
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            )
            of_variable.update(zip(map(id, group), gradients, strict=True))
        gradients = self.in_order(of_variable)
        is_finite = self.of_all_replicas(self.judged(costs.guarded, _size_of(gradients)))
        # By default TensorFlow updates a variable as soon as its own gradient is computed; other
        # operations of the forward pass might then read it too late.
        with tf.control_dependencies([*gradients, is_finite]):
            if tf.distribute.has_strategy():
                self._update_of_replicas(scope, is_finite, gradients, is_on)
                return
            was_good = self.guard.is_good(self.guard.state.value)
            tf.cond(
                tf.logical_and(was_good, tf.reduce_all(is_finite[:-1])),
                lambda: self._update_of_good_batch(scope, gradients, is_on),
                lambda: self.guard.update_state(is_finite),
            )

    def _update_of_good_batch(self, scope, gradients, is_on):
        self.guard.state.assign_add([1, 0, 0])
        for variable, value in scope.assigned():
            variable.assign(value)
        with self.switched(is_on), fused_updates(self.optimizer):
            self.optimizer.apply(gradients, self.trainable_variables)

    def _update_of_replicas(self, scope, is_finite, gradients, is_on):
        # A strategy makes updates across replicas, which is impossible within a condition.
        self.guard.update_state(is_finite)
        is_good = self.guard.is_good(self.guard.state.value)
        self.commit(scope, is_good)
        variables = [*self.trainable_variables, *self.optimizer.variables]
        before = [tf.identity(v.value) for v in variables]
        with tf.control_dependencies(before), self.switched(is_on):
            self.optimizer.apply(gradients, self.trainable_variables)
        for variable, value in zip(variables, before, strict=True):
            variable.assign(tf.where(is_good, variable.value, value))

    def test_step(self, data: Any) -> Any:
        """Records the metrics of one batch and returns the logs; Keras calls it."""
        with self.sharing(data) as share, _after(share):
            self.costs(share, training=False)
        return self.get_metrics_result()

    def build_optimizer(self) -> None:
        """Creates the optimizer's variables, if they do not exist yet."""
        # If the first update created them inside the step, the step would be traced twice.
        with self.distribute_strategy.scope():
            super().build_optimizer()

    def watched(self, train_function: Callable) -> Callable:
        """Returns a train function that checks the guard after every 32 steps."""
        one_at_a_time = super().watched(train_function)
        run = tensorflow_chunks.compiled(self)

        @functools.wraps(train_function)
        def call(iterator):
            if self._chunks is None:
                return one_at_a_time(iterator)
            size = self._chunks.batches.batch_size
            logs = run(self._chunks.resident, self._chunks.next(iterator), size)
            self.check_finite(self.guard.state)
            return logs

        return call

    def batches_for_epochs(self, batches: Any, listens: bool) -> Any:
        """Returns `Batches` in the form that Keras trains on: many at a time, if possible."""
        if listens or not tensorflow_chunks.is_possible(self):
            return batches
        return tensorflow_chunks.TensorFlowChunks(batches)

    def evaluated(self, x: Any, y: Any, sample_weight: Any, batch_size: int | None) -> tuple:
        """Returns a data set, in place of the arrays, whose batch size is unknown in the graph.

        Keras' own has a known batch size if that divides the number of examples. TensorFlow then
        folds it into constants, which changes the rounding: the last digit of a sum would differ
        from that for the same examples in a user's data set.
        """
        if not tensorflow_chunks.is_alone(self):
            return x, y, sample_weight, batch_size
        arrays = keras.tree.map_structure(
            tf.convert_to_tensor, keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
        )
        num_examples, size = len(keras.tree.flatten(arrays)[0]), batch_size or _KERAS_BATCH_SIZE

        def batch(start):
            return keras.tree.map_structure(lambda a: a[start : start + size], arrays)

        return tf.data.Dataset.range(0, num_examples, size).map(batch), None, None, None

    def jitted(self, function: Callable) -> Callable:
        """Returns `function(*arrays)`, which may use the model, compiled and returning NumPy
        arrays.

        Random streams that it draws from advance as usual.
        """

        @tf.function(autograph=False)
        def graph(noise, *arrays):
            with self.noise.drawing_from(noise) as stream:
                outputs = function(*arrays)
            return outputs, stream.state

        @functools.wraps(function)
        def call(*arrays):
            with self.reading():
                arrays = [tf.convert_to_tensor(a) for a in arrays]
                outputs, self.noise.evaluation_state = graph(self.noise.evaluation_state, *arrays)
            return keras.tree.map_structure(np.asarray, outputs)

        return call


def _after(data):
    """Returns a context whose operations wait for the batch.

    If Keras does not know the number of batches, it requests one too many. Operations that do not
    depend on the data (the step counter and the random stream) would otherwise run before the
    request fails.
    """
    return tf.control_dependencies([t for t in keras.tree.flatten(data) if t is not None])


def _size_of(gradients):
    """Returns a scalar that is finite if every gradient is; see `Step.judged`."""
    sums = [tf.reduce_sum(tf.cast(g, "float32")) for g in map(tf.convert_to_tensor, gradients)]
    return tf.reduce_sum(tf.abs(sums)) if sums else tf.constant(0.0)
