"""The train step on JAX."""

import contextlib
import functools
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import jax
import keras
import numpy as np
from keras import ops

from keras_vae.steps import jax_chunks
from keras_vae.steps import jax_convolutions
from keras_vae.steps import jax_devices
from keras_vae.steps.step import Step

# The parts of the state, with the names that Keras stores them under.
_STATE = (
    "trainable_variables",
    "non_trainable_variables",
    "optimizer_variables",
    "metrics_variables",
)


class JAXStep(Step):
    """Train and test steps as pure functions of the model's state.

    The shared, stateful `costs` runs inside one `keras.StatelessScope` that maps every variable
    (weights, seeds, metrics and the optimizer's, which schedules and loss scaling read) to its
    traced value; the values that it assigned are read back from the scope.
    """

    clock: Any = None
    _updates: Any = None  # made before what is being traced, unless that is a step of training

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
                costs = self.costs(jax_devices.spread(data), training=True)
                scaled = [self.optimizer.scale_loss(cost) for cost in costs.of_groups]
                is_on = self.groups_on()
            # A forward pass may assign weights too, such as a codebook initialised from data.
            assigned = [*self.trainable_variables, *side_variables]
            values = [scope.get_current_value(v) for v in assigned]
            return scaled, (costs.guarded, is_on, values)

        def forth_and_back():
            scaled, pull_back, found = jax.vjp(scaled_costs, trainable, has_aux=True)
            return found, self._gradients(groups, scaled, pull_back)

        try:
            with jax_convolutions.fast_gradients():
                (guarded, is_on, values), gradients = forth_and_back()
        except (TypeError, NotImplementedError):  # a cost is differentiated in forward mode
            (guarded, is_on, values), gradients = forth_and_back()
        assigned, side = values[: len(trainable)], values[len(trainable) :]
        optimizer_mapping = list(zip(self.optimizer.variables, optimizer_values, strict=True))
        with keras.StatelessScope(optimizer_mapping):
            is_finite = self.judged(guarded, _size_of(gradients))
        guard = self.guard.after(metrics[self._index(self.guard.state)], is_finite)
        is_good = self.guard.is_good(guard)

        def update():
            with self.switched(is_on):
                return self.optimizer.stateless_apply(optimizer_values, gradients, assigned)

        before = [*non_trainable, *metrics]
        trainable, optimizer_values = _chosen(is_good, update, (trainable, optimizer_values))
        side = [jax.numpy.where(is_good, *pair) for pair in zip(side, before, strict=True)]
        non_trainable, metrics = side[: len(non_trainable)], side[len(non_trainable) :]
        metrics[self._index(self.guard.state)] = guard
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
        with (
            keras.StatelessScope(mapping, collect_losses=True) as scope,
            self._after(metrics[self._index(self.clock.updates)]),
        ):
            self.costs(jax_devices.spread(data), training=False)
        side = [scope.get_current_value(v) for v in side_variables]
        non_trainable, metrics = side[: len(non_trainable)], side[len(non_trainable) :]
        return self._logs(metrics), (trainable, non_trainable, metrics)

    def reset_metrics(self) -> None:
        """Sets the metrics back, as an evaluation begins too; Keras calls it."""
        super().reset_metrics()
        if self.clock is not None:
            # A number of its own: the step takes over the memory of the arrays that it is given.
            self.clock.update_state(int(self.updates_made()))

    def updates_made(self) -> Any:
        return super().updates_made() if self._updates is None else self._updates

    @contextlib.contextmanager
    def _after(self, updates):
        """Within this context `updates` is the number of updates made so far."""
        self._updates = updates
        try:
            yield
        finally:
            self._updates = None

    def predict_step(self, state: Any, data: Any) -> Any:
        """Returns the output of `call` for a batch; Keras calls it."""
        # Each of several processes needs all outputs, and so computes them.
        spread = jax_devices.spread(data) if jax.process_count() == 1 else data
        return super().predict_step(state, spread)  # type: ignore[misc]

    def writing(self, path: Any) -> contextlib.AbstractContextManager:
        self.jax_state_sync()
        if jax.process_index() == 0:
            return contextlib.nullcontext(path)
        return jax_devices.discarded(path)

    def on_devices(self) -> contextlib.AbstractContextManager:
        self.jax_state_sync()  # in a callback of `fit`; see `reading`
        jax_devices.check_distribution(type(self).__name__)
        return jax_devices.whole_batches()

    def meet(self, x: np.ndarray, begins: bool = False) -> None:
        self.noise.seed = jax_devices.meet(x, self.noise.seed)

    def watched(self, train_function: Callable) -> Callable:
        """Returns a train function that checks the guard after every 32 calls."""

        # Not donated: for so many steps a copy of the state costs nothing, and if the call is
        # interrupted, the previous state is still there.
        @jax.jit
        def run(state, *chunk):
            state = jax_chunks.run(self.train_step, state, *chunk)
            return self._logs(state[3]), state

        @functools.wraps(train_function)
        def call(state, iterator):
            if self._chunks is None:
                logs, state = train_function(state, iterator)
            else:
                logs, state = run(state, self._chunks.resident, *next(iterator))
                self._calls_unlooked = -1  # enough steps to check
            # The compiled function has overwritten the old state, so `fit` must put the new one
            # back into the model if anything raises from here on. Set without Keras' `__setattr__`,
            # which would search all of the state for layers to track.
            object.__setattr__(self, "_jax_state", dict(zip(_STATE, state, strict=True)))
            if self._is_time_to_look():
                self.check_finite(state[3][self._index(self.guard.state)])
            return logs, state

        return call

    def batches_for_epochs(self, batches: Any, listens: bool) -> Any:
        is_plain = self.jit_compile and not self.run_eagerly and self.steps_per_execution == 1
        is_alone = keras.distribution.distribution() is None
        if listens or not (is_plain and is_alone and jax_chunks.is_worth_it(self)):
            return batches
        return jax_chunks.JAXChunks(batches)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the objective and metrics; see `keras.Model.evaluate`."""
        with self._weights_kept():
            return super().evaluate(*args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the output of `call`; see `keras.Model.predict`."""
        with self._weights_kept():
            return super().predict(*args, **kwargs)

    @contextlib.contextmanager
    def _weights_kept(self):
        """Within this context an exception or an interrupt does not lose the model's weights.

        While Keras iterates over batches on JAX, the values are in its loop and not in the model;
        only the loop of `fit` puts them back when it ends early.
        """
        try:
            yield
        except BaseException:
            self.jax_state_sync()
            self._jax_state = None
            raise

    def _get_jax_state(self, purge_model_variables=False, **kinds):
        state = super()._get_jax_state(purge_model_variables=purge_model_variables, **kinds)
        if purge_model_variables:  # otherwise they would be lost if the first batch fails
            names = [name for name in _STATE if kinds.get(name)]
            self._jax_state = dict(zip(names, state, strict=True))
        return state

    def jitted(self, function: Callable) -> Callable:
        """Returns `function(*arrays)`, which may use the model, compiled and returning NumPy
        arrays.

        Random streams that it draws from advance as usual.
        """
        trainable, non_trainable = self.trainable_variables, self.non_trainable_variables

        @jax.jit
        def pure(noise, updates, trainable_values, non_trainable_values, *arrays):
            mapping = [
                *zip(trainable, trainable_values, strict=True),
                *zip(non_trainable, non_trainable_values, strict=True),
            ]
            with (
                keras.StatelessScope(mapping) as scope,
                self.noise.drawing_from(noise) as stream,
                self._after(updates),
            ):
                outputs = function(*arrays)
            values = [scope.get_current_value(v) for v in non_trainable]
            pairs = enumerate(zip(values, non_trainable_values, strict=True))
            return outputs, stream.state, {i: new for i, (new, old) in pairs if new is not old}

        @functools.wraps(function)
        def call(*arrays):
            with self.reading():
                outputs, self.noise.evaluation_state, assigned = pure(
                    self.noise.evaluation_state,
                    ops.convert_to_tensor(self.updates_made(), "int32"),
                    [v.value for v in trainable],
                    [v.value for v in non_trainable],
                    *arrays,
                )
                for i, value in assigned.items():
                    non_trainable[i].assign(value)
            return keras.tree.map_structure(np.asarray, outputs)

        return call

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Returns a context for reading the weights.

        While Keras iterates over batches on JAX, the values are in its loop and not in the model.
        If another thread does so, the context waits for it; if this one does, as in a callback that
        samples after a batch, they are put back, and the loop takes them again.
        """
        self.check_process()
        with self.lock:
            self.jax_state_sync()
            yield

    def get_weights(self) -> list[np.ndarray]:
        """Returns the weights; see `keras.Model.get_weights`."""
        with self.reading():
            return super().get_weights()  # type: ignore[misc]

    def __reduce__(self) -> Any:  # for `pickle` and `copy.deepcopy`
        with self.reading():
            return super().__reduce__()

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

    def _index(self, variable):
        """Returns the index of a variable among those of the metrics."""
        return [v is variable for v in self.metrics_variables].index(True)


def _chosen(is_good, update, before):
    """Returns `update()` if the batch is good, otherwise `before`."""
    if jax.default_backend() == "cpu":
        # An elementwise choice would write every slot twice, once before the choice.
        return jax.lax.cond(is_good, lambda: tuple(map(list, update())), lambda: before)
    # Accelerators would wait for the host to read the condition.
    return jax.tree.map(
        functools.partial(jax.numpy.where, is_good), tuple(map(list, update())), before
    )


def _size_of(gradients):
    """Returns a scalar that is finite if every gradient is; see `Step.judged`."""
    if not gradients:
        return jax.numpy.array(0.0)
    return jax.numpy.abs(jax.numpy.stack(list(map(_sum_of, gradients)))).sum()


def _sum_of(gradient):
    rows = gradient.reshape(-1, gradient.shape[-1]) if gradient.size and gradient.ndim else gradient
    # A matrix-vector product: on a CPU XLA's own reductions take several times as long.
    ones = jax.numpy.ones(rows.shape[-1:], "float32")
    return jax.numpy.dot(rows, ones).sum()
