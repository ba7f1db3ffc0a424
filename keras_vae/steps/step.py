"""The common part of the train steps of the three backends: from a batch to costs and metrics."""

import contextlib
import functools
import os
import threading
from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_vae.operations import plain
from keras_vae.steps import guard
from keras_vae.steps.chunks import Chunks
from keras_vae.typing import Tensor

CHECKED_EVERY = 32  # steps between two checks of the guard, each of which waits for the device
# The largest sum of gradients whose squares are finite in float32. Adam stores squares: beyond
# this, finite gradients would make its slots infinite and the weights NaN.
LARGEST_GRADIENT = 1e18


class Costs(NamedTuple):
    """The costs of a batch.

    Attributes:
        of_groups: List of scalars in nats per example, the cost that each group minimises, in the
            order of `groups` (a single one in evaluation).
        guarded: List of the scalars that must be finite for an update to be made, and at the end
            the sum of x, which shows whether the data are the cause if they are not. Their names
            are `Step._guarded_names`: compiled steps on JAX would sort those of a dict.
    """

    of_groups: list[Tensor]
    guarded: list[Tensor]


class ForwardScope(keras.StatelessScope):
    """A scope that records which variables were assigned within it."""

    def __init__(self, state_mapping: Any = None, **kwargs: Any) -> None:
        super().__init__(state_mapping, **kwargs)
        self._assigned: dict[int, keras.Variable] = {}

    def add_update(self, update: tuple[keras.Variable, Tensor]) -> None:
        super().add_update(update)
        self._assigned[id(update[0])] = update[0]

    def assigned(self) -> list[tuple[keras.Variable, Tensor]]:
        """Returns the variables and the values last assigned to them."""
        return [(v, self.get_current_value(v)) for v in self._assigned.values()]


class Step:
    """The backend-neutral half of a train step.

    A model provides `terms_of`, `objective`, `groups` and `given`; a backend's step computes the
    gradients. Everything in between is here, so that it is the same on all backends.

    The forward pass runs in a `keras.StatelessScope` on every backend: the values that it assigns
    (codebooks, batch statistics, metrics, random streams) are not written at once but with the
    update, and if a cost or a gradient is not finite, neither is made. The flag for this stays on
    the device, and is checked every 32 steps and at the end of an epoch; see `steps/guard.py`.
    """

    seed_generator_class = keras.random.SeedGenerator  # the class of the model's noise generator
    epoch = 0  # the current epoch of `fit`, counted from 0
    _guarded_names: list[str] = []  # names of the guard's bits; known once a step is traced
    _calls_unlooked = 0
    _chunks: Chunks | None = None  # the data of `fit`, if a call makes many steps
    _kept: dict | None = None  # values that do not change within a call of `fit`
    train_function: Any
    allows_missing: bool
    lock: threading.RLock  # type: ignore[valid-type]  # held by calls that train or evaluate
    made_in_process: int  # the id of the process

    def costs(self, data: Any, training: bool) -> Costs:
        """Runs the model on a batch and records its metrics.

        Args:
            data: The argument of `train_step`: x, (x, y) or (x, y, sample_weight).
            training: Bool. In evaluation the terms have their weights for evaluation, whatever was
                annealed in training, and regularisers are left out.
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        x = ops.cast(ops.convert_to_tensor(x), "float32")
        y = None if y is None else ops.convert_to_tensor(y)
        if sample_weight is not None:
            sample_weight = ops.cast(ops.convert_to_tensor(sample_weight), "float32")
        objective = self.kept("objective", self.objective)
        terms = self.terms_of(x, y, training)
        if not isinstance(terms, dict) or any(v is None for v in terms.values()):
            raise TypeError(
                f"`terms` of {type(self).__name__} must return a dict of names and tensors. "
                f"Received: {terms!r}."
            )
        terms = {k: ops.cast(v, "float32") for k, v in terms.items()}
        if training:
            weights = [_weights(objective, group) for group in self.group_names(objective)]
        else:
            weights = [{k: t.evaluate for k, t in objective.items() if t.evaluate}]
        _check_terms(terms, objective, weights, self.term_means.names)
        weighted = list(dict.fromkeys(k for w in weights for k in w))
        averaged = {*weighted, *self.term_means.names}
        means = {k: _mean(v, sample_weight) for k, v in terms.items() if k in averaged}
        costs = [self._weighted_sum(w, means) for w in weights]
        names, guarded = [*weighted], [means[k] for k in weighted]
        total = _sum(costs)
        if training and (losses := self.losses):
            penalty = sum(losses)
            names, guarded = [*names, "regularization"], [*guarded, penalty]
            costs, total = [cost + penalty for cost in costs], total + penalty
        self._record(total, terms, means, ops.shape(x)[0], sample_weight)
        # If NaN means "not observed", it is not the cause.
        observed = ops.where(ops.isnan(x), 0.0, x) if self.allows_missing else x
        if training:
            self._guarded_names = [*names, "gradient", "x"]
        return Costs(costs, [*guarded, ops.sum(observed)])

    def at_this_step(self, value: Any) -> Any:
        """Returns a number as it is, and a schedule's value after the updates made so far."""
        if not callable(value):
            return value
        return ops.cast(value(ops.cast(self.updates_made(), "float32")), "float32")

    def updates_made(self) -> Any:
        """Returns the number of updates made so far, an int or a tensor."""
        optimizer = getattr(self, "optimizer", None)
        return 0 if optimizer is None else optimizer.iterations

    def build_optimizer(self) -> None:
        """Creates the optimizer's variables, if they do not exist yet."""
        if not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        if self.has_other_slots():
            own = {id(v) for v in self.variables}
            if not any(id(v) in own for v in self.variables_with_slots()):
                raise ValueError(
                    f"The optimizer of {type(self).__name__} was built for another model. Give "
                    "each model an optimizer of its own."
                )
            raise ValueError(
                f"The trainable weights of this {type(self).__name__} are no longer those that its "
                "optimizer was created for. Call `compile` again after you change `trainable`."
            )

    def variables_with_slots(self) -> list[keras.Variable]:
        """Returns the variables that the optimizer was built for."""
        optimizer: Any = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        return list(optimizer._trainable_variables) if self.optimizer.built else []

    def has_other_slots(self) -> bool:
        """Returns whether other variables are trainable than when the optimizer was built."""
        made_for = {id(v) for v in self.variables_with_slots()}
        return self.optimizer.built and made_for != {id(v) for v in self.trainable_variables}

    def make_train_function(self, force: bool = False) -> Any:
        """Compiles the train step; Keras calls it."""
        self.build_optimizer()
        if self.train_function is None or force:
            super().make_train_function(force)
            self.train_function = self.watched(self.train_function)

    def watched(self, train_function: Callable) -> Callable:
        """Returns a train function that checks the guard after every 32 calls."""

        @functools.wraps(train_function)
        def call(*arguments):
            outputs = train_function(*arguments)
            if self._is_time_to_look():
                self.check_finite(self.guard.state)
            return outputs

        return call

    def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Trains the model; see `keras.Model.fit`."""
        if isinstance(x, Chunks):
            self._chunks, x = x, x.given_to_keras()
        # Set without Keras' `__setattr__`, which would turn it into a tracked dict.
        object.__setattr__(self, "_kept", {})
        try:
            return super().fit(x, *args, **kwargs)  # type: ignore[misc]
        finally:
            self._chunks = self._kept = None

    def kept(self, name: str, make: Callable) -> Any:
        """Returns `make()`, cached within one call of `fit`, during which settings stay fixed."""
        if self._kept is None:
            return make()
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    def reset_metrics(self) -> None:
        """Resets the metrics; Keras calls it before each epoch and each evaluation."""
        super().reset_metrics()
        self._calls_unlooked = 0

    def _get_metrics_result_or_logs(self, logs):
        # Keras calls this at the end of an epoch or an evaluation, before the weights are used for
        # anything: before validation and before callbacks.
        self.check_finite(self.guard.state)
        return super()._get_metrics_result_or_logs(logs or self.get_metrics_result())

    def check_finite(self, state: Any) -> None:
        """Raises `NonFiniteError` if a state of the guard holds a bad batch."""
        guard.check(ops.convert_to_numpy(state), self._guarded_names, self.epoch)

    def judged(self, guarded: list[Tensor], size_of_gradients: Tensor) -> Tensor:
        """Returns the guard's input for a batch: bool (n,), whether each number is finite.

        Args:
            guarded: See `Costs`.
            size_of_gradients: Scalar, the sum of the absolute values of each gradient's sum.
        """
        scale = getattr(self.optimizer, "dynamic_scale", None)
        if scale is not None:
            # In half precision, gradients overflow now and then, and the optimizer lowers its loss
            # scale. If they overflow without a scale, training has diverged.
            size_of_gradients = ops.where(scale.value > 1.0, 0.0, size_of_gradients)
        *numbers, of_x = guarded
        bounds = [*[np.inf] * len(numbers), LARGEST_GRADIENT, np.inf]
        return self.are_below([*numbers, size_of_gradients, of_x], bounds)

    def forward_scope(self) -> "ForwardScope":
        """Returns the scope of a forward pass in training, which holds assignments back."""
        # Keras asks the scope for the values of regularised variables.
        penalised = [v for v in self.trained() if v.regularizer is not None]
        return ForwardScope([(v, v.value) for v in penalised], collect_losses=True)

    def trained(self) -> list[keras.Variable]:
        """Returns the trainable variables."""
        return self.kept("trained", lambda: self.trainable_variables)

    def commit(self, scope: "ForwardScope", is_good: Tensor) -> None:
        """Writes the values that the forward pass assigned, if the batch is good."""
        for variable, value in scope.assigned():
            variable.assign(ops.where(is_good, value, variable.value))

    def _is_time_to_look(self):
        self._calls_unlooked = (self._calls_unlooked + 1) % CHECKED_EVERY
        return self._calls_unlooked == 0

    def groups_on(self) -> dict[str, Tensor]:
        """Returns `{group: scalar bool}` for the groups that the model switches on and off."""
        return {
            group: ops.convert_to_tensor(self.at_this_step(switch)) > 0
            for group, switch in self.switches().items()
        }

    def switched(self, is_on: dict[str, Tensor]) -> contextlib.AbstractContextManager:
        """Returns a context in which the optimizer updates only the groups that are on."""
        optimizer: Any = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        return optimizer.switched(is_on) if is_on else contextlib.nullcontext()

    def reading(self) -> contextlib.AbstractContextManager:
        """Returns a context for reading the weights outside a step."""
        self.check_process()
        return contextlib.nullcontext()

    def check_process(self) -> None:
        """Raises `RuntimeError` in a forked process, in which computations would hang forever.

        TensorFlow and JAX use threads of their own, which a forked process does not have.
        """
        if os.getpid() != self.made_in_process:
            raise RuntimeError(
                f"This {type(self).__name__} was made before its process was forked, and "
                f"{keras.config.backend()} cannot compute in a forked process. Start workers with "
                '`multiprocessing.get_context("spawn")`, and give them the model or its file.'
            )

    def writing(self, path: Any) -> contextlib.AbstractContextManager:
        """Returns a context that yields the path to write to. If several processes train together,
        the first gets `path` itself, and the others get another path or `None`."""
        return contextlib.nullcontext(path)

    def on_devices(self) -> contextlib.AbstractContextManager:
        """Returns a context for loops over batches, on all devices that share a step.

        Raises:
            RuntimeError: If several processes were started that would train separately.
        """
        return contextlib.nullcontext()

    def meet(self, x: np.ndarray, begins: bool = False) -> None:
        """Synchronises the processes that train together, before the first step.

        Args:
            x: NumPy array, the data or a batch of them.
            begins: Bool, whether training begins.

        Raises:
            ValueError: If the data of the processes differ.
        """

    def output_of(self, network: Any, inputs: Any, training: bool = False) -> Any:
        """Returns `network(inputs, training=training)`; how it is called is the backend's."""
        return network(inputs, training=training)

    def called(self, layer: keras.Layer, *inputs: Any) -> Any:
        """Returns `layer(*inputs)` for a layer without `training`: a likelihood or a prior."""
        return layer(*inputs)

    def batches_for_epochs(self, batches: Any, listens: bool) -> Any:
        """Returns `Batches` in the form that Keras trains on: here unchanged.

        Args:
            batches: `Batches`.
            listens: Bool, whether a callback has a batch hook.
        """
        return batches

    def evaluated(self, x: Any, y: Any, sample_weight: Any, batch_size: int | None) -> tuple:
        """Returns arrays and a batch size in the form that Keras evaluates or predicts from: here
        unchanged."""
        return x, y, sample_weight, batch_size

    def across_replicas(self, statistics: Tensor) -> Tensor:
        """Returns the sum of a tensor over the replicas that share a step; here there is one."""
        return statistics

    def of_first_replica(self, tensor: Tensor) -> Tensor:
        """Returns a tensor's value on the first of the replicas that share a step."""
        return tensor

    def in_order(self, gradients: dict[int, Tensor]) -> list[Tensor]:
        """Returns the gradients `{id of a variable: gradient}` in the optimizer's order."""
        return [gradients[id(v)] for v in self.trained()]

    def stacked(self, values: list) -> Tensor:
        """Returns scalars, Python numbers or tensors, as one float32 vector."""
        if all(isinstance(v, int | float) for v in values):
            return ops.convert_to_tensor([float(v) for v in values], "float32")
        return ops.stack([ops.cast(v, "float32") for v in values])

    def are_below(self, values: list[Tensor], bounds: list[float]) -> Tensor:
        """Returns whether the absolute value of each scalar is below its bound; NaN never is."""
        return ops.abs(self.stacked(values)) < self.stacked(bounds)

    def _weighted_sum(self, weights, means):
        if not weights:
            return ops.zeros(())
        return _sum(
            [
                means[name] if weight == 1.0 else self.at_this_step(weight) * means[name]
                for name, weight in weights.items()
            ]
        )

    def _record(self, loss, terms, means, num_examples, sample_weight):
        total = num_examples if sample_weight is None else ops.sum(sample_weight)
        values, weights = [loss], [num_examples]
        for name in self.term_means.names[1:]:
            is_of_batch = name in terms and len(terms[name].shape) == 0
            weights.append(num_examples if is_of_batch else total if name in terms else 0)
            values.append(means.get(name, 0.0))
        totals = self.stacked(values) * _as_number(num_examples)
        self.term_means.update_state(totals, self.stacked(weights))
        for name, tracker in self.trackers.items():
            if name in terms:
                is_of_batch = len(terms[name].shape) == 0
                weight = num_examples if is_of_batch else sample_weight
                tracker.update_state(terms[name], sample_weight=weight)


def _sum(values):
    """Returns the sum of a list: 0.0 if it is empty, and a single value itself."""
    return sum(values[1:], start=values[0]) if values else 0.0


def _as_number(value):
    return float(value) if isinstance(value, int) else ops.cast(value, "float32")


def _weights(objective, group):
    """Returns `{name: number or schedule}` for the terms that a group of weights minimises."""
    return {k: t.train for k, t in objective.items() if t.group == group and t.teaches}


def _check_terms(terms, objective, weights, averaged):
    unknown = sorted(terms.keys() - objective.keys())
    missing = sorted({k for w in weights for k in w} - terms.keys())
    if unknown or missing:
        raise ValueError(
            "`terms` and `objective` do not name the same quantities. Only in `terms`: "
            f"{unknown or 'none'}. With a weight in `objective` and not in `terms`: "
            f"{missing or 'none'}. Name each in both; `Term(train=0)` only logs it."
        )
    for name, term in terms.items():
        if name in averaged and len(term.shape) > 1:
            raise ValueError(
                f"The term {name!r} must be a cost of each example, of shape (B,), or of the whole "
                f"batch, a scalar. Received: shape {tuple(term.shape)}. Sum it over all "
                "axes but the first."
            )


def _mean(term, sample_weight):
    if len(term.shape) == 0:
        return term
    # Divided by the number of examples, as Keras' losses are, not by the sum of the weights.
    return plain(ops.mean)(term if sample_weight is None else term * sample_weight)
