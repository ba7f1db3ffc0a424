"""Replicas on TensorFlow: the devices and workers of a `tf.distribute` strategy."""

import contextlib
import contextvars
import json
import os
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_vae.steps.processes import differing_data
from keras_vae.steps.processes import digest_of
from keras_vae.steps.step import Step
from keras_vae.typing import Tensor


class ReplicaSeedGenerator(keras.random.SeedGenerator):
    """A seed generator that gives each replica of a `tf.distribute` strategy its own noise.

    Keras' own is mirrored, so all replicas would draw the same noise for their shares of a batch.
    """

    def next(self, ordered: bool = True) -> Any:
        seed = super().next(ordered)
        if (context := replica()) is None:
            return seed
        # A large odd step, so that the streams of replicas are not adjacent.
        shift = tf.cast(context.replica_id_in_sync_group, "uint32") * tf.constant(
            2654435761, "uint32"
        )
        return seed + tf.cast(tf.stack([shift, tf.zeros_like(shift)]), seed.dtype)


class Share(NamedTuple):
    """The part of a batch that a replica processes; every replica receives the whole batch.

    Attributes:
        data: The rows.
        weight: Float scalar, their fraction of the batch; it sums to 1 over all replicas.
        num_copies: Float scalar, the number of replicas that process each row: 1, or, if there are
            fewer examples than replicas, the number of replicas, each of which takes all rows.
    """

    data: Any
    weight: Tensor
    num_copies: Tensor


# Replicas of one process are threads, which take turns within a step.
_SHARE: contextvars.ContextVar[Share | None] = contextvars.ContextVar(
    "keras_vae_share", default=None
)


def replica() -> Any:
    """Returns the context of the current replica, or `None` outside a replicated step."""
    context = tf.distribute.get_replica_context()
    return None if context is None or context.num_replicas_in_sync == 1 else context


def summed(tensors: list, context: Any) -> list:
    """Returns the sums of tensors over all replicas, exchanged together."""
    devices = context.strategy.extended.worker_devices  # of this process
    place = tf.get_static_value(context.replica_id_in_sync_group) % len(devices)
    with tf.device(devices[place]):  # tensors without an explicit device are not exchanged
        return context.all_reduce("sum", [tf.identity(t) for t in tensors])


def share_of(data: Any, context: Any) -> Share:
    """Returns a replica's share of a batch: consecutive rows, divided as evenly as possible."""
    number, place = context.num_replicas_in_sync, context.replica_id_in_sync_group
    size = tf.shape(next(p for p in keras.tree.flatten(data) if p is not None))[0]
    is_small = size < number
    first = tf.where(is_small, 0, size * place // number)
    last = tf.where(is_small, size, size * (place + 1) // number)
    num_copies = tf.where(is_small, float(number), 1.0)
    weight = tf.cast(last - first, "float32") / tf.cast(size, "float32") / num_copies
    return Share(rows_of(data, first, last), weight, num_copies)


def rows_of(data: Any, first: Tensor, last: Tensor) -> Any:
    """Returns the rows `first` to `last - 1` of all parts of a batch."""
    return keras.tree.map_structure(lambda p: None if p is None else p[first:last], data)


def whole_batches(strategy: tf.distribute.Strategy) -> Callable:
    """Returns a replacement for `strategy.experimental_distribute_dataset` that gives every replica
    the whole of each batch."""

    def distribute(dataset: tf.data.Dataset, options: Any = None) -> Any:
        is_tuple = isinstance(dataset.element_spec, tuple)

        def of_worker(context):
            # The replicas of a worker take one element each, in turn.
            number = context.num_replicas_in_sync // context.num_input_pipelines
            return dataset.flat_map(
                lambda *parts: tf.data.Dataset.from_tensors(parts if is_tuple else parts[0]).repeat(
                    number
                )
            )

        return strategy.distribute_datasets_from_function(of_worker, options)

    return distribute


def num_workers(strategy: Any) -> int:
    """Returns the number of processes that share a strategy."""
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None:
        return 1
    cluster = resolver.cluster_spec().as_dict()
    return max(1, sum(len(cluster.get(kind, ())) for kind in ("chief", "worker")))


def workers_told_of() -> int:
    """Returns the number of workers in TF_CONFIG, or 1 if it is not set."""
    cluster = json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster", {})
    return max(1, sum(len(cluster.get(kind, ())) for kind in ("chief", "worker")))


class ReplicatedStep(Step):
    """The part of a step on TensorFlow that concerns several replicas; unused with a single one.

    Every replica receives whole batches and processes its share of each. The optimizer sums the
    replicas' gradients.
    """

    seed_generator_class = ReplicaSeedGenerator
    distribute_strategy: Any
    noise: Any
    weights: list

    def writing(self, path: Any) -> contextlib.AbstractContextManager:
        strategy = self.distribute_strategy
        is_first = num_workers(strategy) == 1 or _place_of_worker(strategy) == 0
        return contextlib.nullcontext(path if is_first else None)

    @contextlib.contextmanager
    def on_devices(self) -> Iterator[None]:
        strategy = self.distribute_strategy
        self._check_strategy(strategy)
        if strategy.num_replicas_in_sync == 1 or "experimental_distribute_dataset" in vars(
            strategy
        ):
            yield
            return
        # Set on the object, where it shadows the method of the class.
        vars(strategy)["experimental_distribute_dataset"] = whole_batches(strategy)
        try:
            yield
        finally:
            del vars(strategy)["experimental_distribute_dataset"]

    def _check_strategy(self, strategy):
        told = workers_told_of()
        if told > 1 and num_workers(strategy) != told:
            raise RuntimeError(
                f"This process is one of {told} workers, and its {type(self).__name__} would train "
                "alone. Expected: a model made within the scope of a "
                f"`tf.distribute.MultiWorkerMirroredStrategy`. Received: TF_CONFIG with {told} "
                f"workers, and a {type(strategy).__name__}. Make the strategy first, then the "
                "model within `strategy.scope()`, or unset TF_CONFIG."
            )
        is_mirrored = all(
            isinstance(v.value, tf.distribute.DistributedValues) for v in self.weights
        )
        if strategy.num_replicas_in_sync > 1 and not is_mirrored:
            raise RuntimeError(
                f"This {type(self).__name__} was made outside of the scope of its strategy. "
                f"Expected: weights on all {strategy.num_replicas_in_sync} replicas. Received: "
                "weights on one. Make the model, and compile it, within `strategy.scope()`."
            )

    def meet(self, x: np.ndarray, begins: bool = False) -> None:
        strategy = self.distribute_strategy
        if num_workers(strategy) == 1:
            return
        mine = tf.constant([[digest_of(x), self.noise.seed]], "int64")
        of_replicas = strategy.experimental_distribute_values_from_function(lambda context: mine)
        digests, seeds = strategy.gather(of_replicas, axis=0).numpy().T
        if len(set(digests)) > 1:
            raise differing_data(num_workers(strategy))
        self.noise.seed = int(seeds[0])

    @contextlib.contextmanager
    def sharing(self, data: Any) -> Iterator[Any]:
        """Returns a context of a step that yields this replica's share of its batch."""
        if (context := replica()) is None:
            yield data
            return
        share = share_of(data, context)
        token = _SHARE.set(share)
        sums = [v for v in self.metrics_variables if v.dtype.startswith("float")]
        before = [tf.identity(v.value) for v in sums]
        try:
            with tf.control_dependencies(before):
                yield share.data
                for variable, old in zip(sums, before, strict=True):
                    variable.assign(old + (variable.value - old) / share.num_copies)
        finally:
            _SHARE.reset(token)

    def weighted(self, cost: Tensor) -> Tensor:
        """Returns the mean of a share as this replica's part of the mean of the batch."""
        share = _SHARE.get()
        return cost if share is None else share.weight * cost

    def of_all_replicas(self, is_finite: Tensor) -> Tensor:
        """Returns, bool (n,), whether each number is finite on every replica."""
        if (context := replica()) is None:
            return is_finite
        (votes,) = summed([tf.cast(is_finite, "int32")], context)
        return votes == context.num_replicas_in_sync

    def across_replicas(self, statistics: Tensor) -> Tensor:
        """Returns the sum of a tensor over the replicas of a `tf.distribute` strategy."""
        if (share := _SHARE.get()) is None:
            return statistics
        return summed([statistics], replica())[0] / share.num_copies

    def of_first_replica(self, tensor: Tensor) -> Tensor:
        """Returns a tensor's value on the first of the replicas that share a step."""
        if _SHARE.get() is None:
            return tensor
        is_first = replica().replica_id_in_sync_group == 0
        return summed([tf.where(is_first, tensor, tf.zeros_like(tensor))], replica())[0]

    def get_metrics_result(self) -> dict:
        """Returns the logs over the shares of all replicas."""
        if (context := replica()) is None:  # across replicas, TensorFlow sums values on reading
            return super().get_metrics_result()  # type: ignore[misc]
        own = [v for v in self.metrics_variables if v.dtype.startswith("float")]
        sums = summed([v.value for v in own], context)
        with keras.StatelessScope(list(zip(own, sums, strict=True))):
            logs = super().get_metrics_result()  # type: ignore[misc]
        if num_workers(self.distribute_strategy) == 1:
            return logs
        # On several workers Keras averages logs over an axis, which scalars do not have.
        return {k: v[None] for k, v in logs.items()}

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # On several workers Keras fails to average the batch on which it would build a model.
        if not all(layer.built for layer in self._flatten_layers()):  # type: ignore[attr-defined]
            super()._maybe_symbolic_build(iterator, data_batch)  # type: ignore[misc]

    def predict_step(self, data: Any) -> Any:
        """Returns the output of `call` for a batch; each of several replicas takes its own rows."""
        if (context := replica()) is not None:
            number, place = context.num_replicas_in_sync, context.replica_id_in_sync_group
            size = tf.shape(keras.tree.flatten(data)[0])[0]
            data = rows_of(data, size * place // number, size * (place + 1) // number)
        return super().predict_step(data)  # type: ignore[misc]


def _place_of_worker(strategy):
    resolver = strategy.cluster_resolver
    has_chief = "chief" in resolver.cluster_spec().as_dict()
    return int(resolver.task_id or 0) + (has_chief and resolver.task_type != "chief")
