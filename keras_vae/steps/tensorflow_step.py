"""The train step on TensorFlow."""

import functools

import keras
import numpy as np
import tensorflow as tf

from keras_vae.steps.step import Step


class TensorFlowStep(Step):
    """Train and test steps with a `tf.GradientTape`."""

    def train_step(self, data):
        groups = self.weight_groups()
        # Every replica sees its share of the batch; the optimizer sums the replicas' gradients.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        with tf.GradientTape(persistent=len(groups) > 1) as tape:
            costs = self.costs(data, training=True)
            scaled = [self.optimizer.scale_loss(cost / replicas) for cost in costs]
        of_variable = {}
        for group, cost in zip(groups.values(), scaled, strict=True):
            gradients = tape.gradient(
                cost,
                [v.value for v in group.variables],
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            )
            of_variable.update(zip(map(id, group.variables), gradients, strict=True))
        variables = self.trainable_variables
        self.optimizer.apply([of_variable[id(v)] for v in variables], variables)
        return self.get_metrics_result()

    def test_step(self, data):
        self.costs(data, training=False)
        return self.get_metrics_result()

    def jitted(self, function):
        """Returns `function(*arrays)`, which may use the model, compiled and giving NumPy arrays.

        Random streams that it draws from advance, as they do outside.
        """
        graph = tf.function(function)

        @functools.wraps(function)
        def call(*arrays):
            outputs = graph(*[tf.convert_to_tensor(a) for a in arrays])
            return keras.tree.map_structure(np.asarray, outputs)

        return call
