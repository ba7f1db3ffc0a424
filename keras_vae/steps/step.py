"""What the train steps of the three backends share: from a batch to costs and metrics."""

from typing import NamedTuple

import keras
from keras import ops


class WeightGroup(NamedTuple):
    """Variables that descend one cost: the weighted sum of some of the model's terms.

    Attributes:
        variables: list of trainable `keras.Variable`s. The groups of a model do not overlap.
        term_weights: dict, term name -> number, or schedule of the optimizer's iterations.
    """

    variables: list
    term_weights: dict


class Step:
    """The backend-neutral half of a train step.

    A model gives `terms`, `term_weights`, `weight_groups` and `reports`; a backend's step
    gives the gradients. Everything between the two is here, so that it is the same on all.
    """

    seed_generator_class = keras.random.SeedGenerator  # what the model's noise is drawn through

    def costs(self, data, training):
        """Runs the model on a batch and records its metrics.

        Args:
            data: what Keras hands to `train_step`: x, (x, y) or (x, y, sample_weight).
            training: bool. In evaluation the terms carry the weights of `evaluation_weights`,
                whatever was annealed in training, and regularisers are left out.

        Returns:
            List of scalars in nats per example, one a weight group (one, in evaluation).
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        x = ops.cast(ops.convert_to_tensor(x), "float32")
        y = None if y is None else ops.convert_to_tensor(y)
        if sample_weight is not None:
            sample_weight = ops.cast(ops.convert_to_tensor(sample_weight), "float32")
        terms = {k: ops.cast(v, "float32") for k, v in self.terms(x, y, training).items()}
        if training:
            weights = [group.term_weights for group in self.weight_groups().values()]
        else:
            weights = [self.evaluation_weights()]
        weighted = {k: v for k, v in terms.items() if any(k in w for w in weights)}
        _check_costs(weighted)
        means = {k: _mean(v, sample_weight) for k, v in weighted.items()}
        costs = [self._weighted_sum(means, w) for w in weights]
        penalty = sum(self.losses) if training and self.losses else 0.0
        self._record(sum(costs) + penalty, terms, x, sample_weight)
        return [cost + penalty for cost in costs]

    def at_this_step(self, value):
        """Returns a number as it is, and a schedule's value after the updates made so far."""
        if not callable(value):
            return value
        optimizer = getattr(self, "optimizer", None)
        step = 0 if optimizer is None else optimizer.iterations
        return ops.cast(value(ops.cast(step, "float32")), "float32")

    def across_replicas(self, statistics):
        """Returns the sum of a tensor over the replicas that share a step; here there is one."""
        return statistics

    def in_order(self, gradients):
        """Returns the gradients, `{id of a variable: gradient}`, as the optimizer takes them.

        Raises:
            ValueError: a trainable variable is in no weight group.
        """
        missing = [v.path for v in self.trainable_variables if id(v) not in gradients]
        if missing:
            raise ValueError(
                f"`weight_groups()` of {type(self).__name__} leaves out {missing}. Every trainable "
                "variable must be in one group; freeze what should not learn."
            )
        return [gradients[id(v)] for v in self.trainable_variables]

    def _weighted_sum(self, means, term_weights):
        # A weight that is the number 0 drops its term from the graph.
        used = {k: w for k, w in term_weights.items() if callable(w) or w != 0}
        return sum(self.at_this_step(w) * means[k] for k, w in used.items())

    def _record(self, loss, terms, x, sample_weight):
        # Keras' own tracker: one named "loss" beside it would appear twice in `evaluate`.
        self._loss_tracker.update_state(loss, sample_weight=ops.shape(x)[0])
        for name, value in {**terms, **self.reports(terms)}.items():
            if name in self.trackers:
                self.trackers[name].update_state(value, sample_weight=sample_weight)


def _check_costs(costs):
    for name, term in costs.items():
        if len(term.shape) != 1:  # a scalar would count a short last batch as a full one
            raise ValueError(
                f"The term {name!r} must be a cost of each example, of shape (B,). Received: shape "
                f"{tuple(term.shape)}. Sum it over all axes but the first."
            )


def _mean(term, sample_weight):
    # Divided by the number of examples, as Keras' losses are, not by the sum of the weights.
    return ops.mean(term if sample_weight is None else term * sample_weight)
