"""What the train steps of the three backends share: from a batch to costs and metrics."""

import contextlib
from typing import Any

import keras
from keras import ops

from keras_vae.typing import Tensor


class Step:
    """The backend-neutral half of a train step.

    A model gives `terms_of`, `objective`, `groups` and `given`; a backend's step gives the
    gradients. Everything between the two is here, so that it is the same on all.
    """

    seed_generator_class = keras.random.SeedGenerator  # what the model's noise is drawn through

    def costs(self, data: Any, training: bool) -> list[Tensor]:
        """Runs the model on a batch and records its metrics.

        Args:
            data: what Keras hands to `train_step`: x, (x, y) or (x, y, sample_weight).
            training: bool. In evaluation the terms carry the weights of evaluation, whatever was
                annealed in training, and regularisers are left out.

        Returns:
            List of scalars in nats per example, one a group in the order of `groups` (one, in
            evaluation).
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        x = ops.cast(ops.convert_to_tensor(x), "float32")
        y = None if y is None else ops.convert_to_tensor(y)
        if sample_weight is not None:
            sample_weight = ops.cast(ops.convert_to_tensor(sample_weight), "float32")
        objective = self.objective()
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
        _check_terms(terms, objective, weights)
        means = {k: _mean(terms[k], sample_weight) for w in weights for k in w}
        costs = [self._weighted_sum(w, means) for w in weights]
        penalty = sum(self.losses) if training and self.losses else 0.0
        self._record(sum(costs) + penalty, terms, ops.shape(x)[0], sample_weight)
        return [cost + penalty for cost in costs]

    def at_this_step(self, value: Any) -> Any:
        """Returns a number as it is, and a schedule's value after the updates made so far."""
        if not callable(value):
            return value
        optimizer = getattr(self, "optimizer", None)
        step = 0 if optimizer is None else optimizer.iterations
        return ops.cast(value(ops.cast(step, "float32")), "float32")

    def build_optimizer(self) -> None:
        """Makes the optimizer's variables, where they are not there yet."""
        if not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        optimizer: Any = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        built_on = {id(v) for v in optimizer._trainable_variables}
        if built_on != {id(v) for v in self.trainable_variables}:
            raise ValueError(
                f"Other weights of {type(self).__name__} are trainable than when its optimizer was "
                "made. Call `compile` again after you change `trainable`."
            )

    def make_train_function(self, force: bool = False) -> Any:
        """Compiles the train step; Keras calls it."""
        self.build_optimizer()
        return super().make_train_function(force)

    def groups_on(self) -> dict[str, Tensor]:
        """Returns `{group: scalar bool}` of the groups that the model switches on and off."""
        return {
            group: ops.convert_to_tensor(self.at_this_step(switch)) > 0
            for group, switch in self.switches().items()
        }

    def switched(self, is_on: dict[str, Tensor]) -> contextlib.AbstractContextManager:
        """Returns a context in which the optimizer updates the groups that are on."""
        optimizer: Any = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        return optimizer.switched(is_on) if is_on else contextlib.nullcontext()

    def without_gradients(self) -> contextlib.AbstractContextManager:
        """Returns a context whose tensors keep no gradients; here none do outside a step."""
        return contextlib.nullcontext()

    def across_replicas(self, statistics: Tensor) -> Tensor:
        """Returns the sum of a tensor over the replicas that share a step; here there is one."""
        return statistics

    def in_order(self, gradients: dict[int, Tensor]) -> list[Tensor]:
        """Returns the gradients, `{id of a variable: gradient}`, as the optimizer takes them."""
        return [gradients[id(v)] for v in self.trainable_variables]

    def _weighted_sum(self, weights, means):
        if not weights:
            return ops.zeros(())
        return sum(self.at_this_step(weight) * means[name] for name, weight in weights.items())

    def _record(self, loss, terms, num_examples, sample_weight):
        # Keras' own tracker: one named "loss" beside it would appear twice in `evaluate`.
        self._loss_tracker.update_state(loss, sample_weight=num_examples)
        for name, tracker in self.trackers.items():
            if name in terms:
                is_of_batch = len(terms[name].shape) == 0
                weight = num_examples if is_of_batch else sample_weight
                tracker.update_state(terms[name], sample_weight=weight)


def _weights(objective, group):
    """Returns `{name: number or schedule}` of the terms that a group of weights descends."""
    return {k: t.train for k, t in objective.items() if t.group == group and t.teaches}


def _check_terms(terms, objective, weights):
    unknown = sorted(terms.keys() - objective.keys())
    missing = sorted({k for w in weights for k in w} - terms.keys())
    if unknown or missing:
        raise ValueError(
            "`terms` and `objective` do not name the same quantities. Only in `terms`: "
            f"{unknown or 'none'}. With a weight in `objective` and not in `terms`: "
            f"{missing or 'none'}. Name each in both; `Term(train=0)` only logs it."
        )
    for name in {k for w in weights for k in w}:
        if len(terms[name].shape) > 1:
            raise ValueError(
                f"The term {name!r} must be a cost of each example, of shape (B,), or of the whole "
                f"batch, a scalar. Received: shape {tuple(terms[name].shape)}. Sum it over all "
                "axes but the first."
            )


def _mean(term, sample_weight):
    if len(term.shape) == 0:
        return term
    # Divided by the number of examples, as Keras' losses are, not by the sum of the weights.
    return ops.mean(term if sample_weight is None else term * sample_weight)
