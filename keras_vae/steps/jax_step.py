"""The train step on JAX."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np

from keras_vae.steps.step import Step


class JAXStep(Step):
    """Train and test steps as pure functions of the model's state.

    The shared, stateful `costs` runs inside one `keras.StatelessScope` that maps every variable
    (weights, seeds, metrics and the optimizer's, which schedules and loss scaling read) to its
    traced value; what it assigned is read back from the scope.
    """

    def train_step(self, state: Any, data: Any) -> Any:
        """Makes one update and returns the logs; Keras calls it."""
        trainable, non_trainable, optimizer_values, metrics = state
        groups = self.groups()
        side_variables = self.non_trainable_variables + self.metrics_variables

        def scaled_costs(trainable):
            mapping = [
                *zip(self.trainable_variables, trainable, strict=True),
                *zip(side_variables, [*non_trainable, *metrics], strict=True),
                *zip(self.optimizer.variables, optimizer_values, strict=True),
            ]
            with keras.StatelessScope(mapping, collect_losses=True) as scope:
                costs = self.costs(data, training=True)
                scaled = [self.optimizer.scale_loss(cost) for cost in costs]
                is_on = self.groups_on()
            # A forward pass may assign weights too: a codebook that begins at the data.
            assigned = [*self.trainable_variables, *side_variables]
            return scaled, (is_on, [scope.get_current_value(v) for v in assigned])

        scaled, pull_back, (is_on, values) = jax.vjp(scaled_costs, trainable, has_aux=True)
        gradients = self._gradients(groups, scaled, pull_back)
        trainable, side = values[: len(trainable)], values[len(trainable) :]
        with self.switched(is_on):
            trainable, optimizer_values = self.optimizer.stateless_apply(
                optimizer_values, gradients, trainable
            )
        non_trainable, metrics = side[: len(non_trainable)], side[len(non_trainable) :]
        logs = self._logs(metrics)
        return logs, (trainable, non_trainable, optimizer_values, metrics)

    def test_step(self, state: Any, data: Any) -> Any:
        """Records the metrics of one batch and returns the logs; Keras calls it."""
        trainable, non_trainable, metrics = state
        side_variables = self.non_trainable_variables + self.metrics_variables
        mapping = [
            *zip(self.trainable_variables, trainable, strict=True),
            *zip(side_variables, [*non_trainable, *metrics], strict=True),
        ]
        with keras.StatelessScope(mapping, collect_losses=True) as scope:
            self.costs(data, training=False)
        side = [scope.get_current_value(v) for v in side_variables]
        non_trainable, metrics = side[: len(non_trainable)], side[len(non_trainable) :]
        return self._logs(metrics), (trainable, non_trainable, metrics)

    def jitted(self, function: Callable) -> Callable:
        """Returns `function(*arrays)`, which may use the model, compiled and giving NumPy arrays.

        Random streams that it draws from advance, as they do outside.
        """
        trainable, non_trainable = self.trainable_variables, self.non_trainable_variables

        @jax.jit
        def pure(trainable_values, non_trainable_values, *arrays):
            mapping = [
                *zip(trainable, trainable_values, strict=True),
                *zip(non_trainable, non_trainable_values, strict=True),
            ]
            with keras.StatelessScope(mapping) as scope:
                outputs = function(*arrays)
            return outputs, [scope.get_current_value(v) for v in non_trainable]

        @functools.wraps(function)
        def call(*arrays):
            outputs, values = pure(
                [v.value for v in trainable], [v.value for v in non_trainable], *arrays
            )
            for variable, value in zip(non_trainable, values, strict=True):
                variable.assign(value)
            return keras.tree.map_structure(np.asarray, outputs)

        return call

    def _gradients(self, groups, scaled, pull_back):
        """Each group's gradient of its own cost, in the order of the trainable variables."""
        of_variable: dict[int, Any] = {}
        for i, group in enumerate(groups.values()):
            one_hot = [jax.numpy.full_like(c, float(i == j)) for j, c in enumerate(scaled)]
            (pulled,) = pull_back(one_hot)
            wanted = {id(v) for v in group}
            for variable, gradient in zip(self.trainable_variables, pulled, strict=True):
                if id(variable) in wanted:
                    of_variable[id(variable)] = gradient
        return self.in_order(of_variable)

    def _logs(self, metrics):
        with keras.StatelessScope(list(zip(self.metrics_variables, metrics, strict=True))):
            return self.get_metrics_result()
