"""Ranks on PyTorch: the processes of `torchrun`, which train one model together."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
import torch
import torch.distributed as dist

from keras_vae.steps.processes import differing_data
from keras_vae.steps.processes import digest_of
from keras_vae.steps.step import ForwardScope
from keras_vae.steps.step import Step
from keras_vae.typing import Tensor

SHIFT = 2654435761  # odd and large, so that the seeds of ranks are not adjacent


class Share(NamedTuple):
    """The part of a batch that a rank processes; every rank receives the whole batch.

    Attributes:
        data: The rows.
        weight: Float, their fraction of the batch; it sums to 1 over all ranks.
        num_copies: Int, the number of ranks that process each row: 1, or, if there are fewer
            examples than ranks, the number of ranks, each of which takes all rows.
    """

    data: Any
    weight: float
    num_copies: int


def num_ranks() -> int:
    """Returns the number of processes in the process group, or 1 if there is no group."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Returns the rank of this process."""
    return dist.get_rank() if num_ranks() > 1 else 0


def check_joined() -> None:
    """Raises `RuntimeError` if this is one of several processes that have not joined a group.

    Each of them would train its own model separately.
    """
    started = int(os.environ.get("WORLD_SIZE") or 1)
    if started > 1 and num_ranks() == 1:
        raise RuntimeError(
            "This process is one of several that have not joined a process group. Expected: "
            f"processes that have joined one, or a single process. Received: WORLD_SIZE={started}, "
            'as `torchrun` sets it. Call `torch.distributed.init_process_group("gloo")`, or "nccl" '
            "on GPUs, before the model is used, or unset WORLD_SIZE."
        )


def share_of(data: Any) -> Share:
    """Returns this rank's share of a batch: consecutive rows, divided as evenly as possible."""
    size = next(len(part) for part in keras.tree.flatten(data) if part is not None)
    if size < num_ranks():
        return Share(data, 1.0 / num_ranks(), num_ranks())
    first, last = (size * r // num_ranks() for r in (rank(), rank() + 1))
    rows = keras.tree.map_structure(lambda p: None if p is None else p[first:last], data)
    return Share(rows, (last - first) / size, 1)


def summed(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    """Returns the sum of each tensor over all ranks, exchanged in one message."""
    if not tensors:
        return []
    message = torch.cat([t.detach().reshape(-1).to(torch.float32) for t in tensors])
    dist.all_reduce(message)
    parts = message.split([t.numel() for t in tensors])
    return [p.reshape(t.shape).to(t.dtype) for p, t in zip(parts, tensors, strict=True)]


class RankSeedGenerator(keras.random.SeedGenerator):
    """A seed generator that gives each rank its own noise for its share of a batch.

    Its state is the same on all ranks, and so are draws outside a step.
    """

    of_share = False  # whether a step is running in this process

    def next(self, ordered: bool = True) -> Any:
        if ordered:  # as in Keras, with fewer operations
            seed, following = self.state.value.clone(), self.state.value.clone()
            following[1:].add_(1)
            self.state.assign(following)
        else:
            seed = super().next(ordered)
        if not RankSeedGenerator.of_share or rank() == 0:
            return seed
        shift = np.array([rank() * SHIFT % 2**32, 0], "uint32").view("int32")
        return seed + torch.from_numpy(shift).to(seed)  # int32, which wraps around


class RankedStep(Step):
    """The part of a step on PyTorch that concerns several ranks; unused in a single process.

    Every rank receives the same batches and processes its share of each. Gradients, flags of
    finiteness, sums for codebooks and batch means are reduced over ranks in the step, so that the
    weights of all ranks stay equal bit by bit.
    """

    seed_generator_class = RankSeedGenerator
    _share: Share | None = None
    _has_met = False
    noise: Any

    def writing(self, path: Any) -> contextlib.AbstractContextManager:
        return contextlib.nullcontext(path if rank() == 0 else None)

    def on_devices(self) -> contextlib.AbstractContextManager:
        check_joined()
        return contextlib.nullcontext()

    def meet(self, x: np.ndarray, begins: bool = False) -> None:
        if num_ranks() == 1:
            return
        digest = keras.ops.convert_to_tensor(np.array([digest_of(x), -digest_of(x)]), "int64")
        dist.all_reduce(digest, dist.ReduceOp.MAX)  # the largest, and minus the smallest
        if int(digest.sum()) != 0:
            raise differing_data(num_ranks())
        if begins or not self._has_met:
            self._follow_first_rank()
        self._has_met = True

    def _follow_first_rank(self):
        if self.compiled:
            self.build_optimizer()
        seed = keras.ops.convert_to_tensor(np.array([self.noise.seed]), "int64")
        states = [self.noise.training_stream.state, self.noise.evaluation_stream.state]
        optimized = self.optimizer.variables if self.compiled else []
        with torch.no_grad():
            for tensor in [seed, *[v.value for v in [*self.variables, *states, *optimized]]]:
                received = tensor.contiguous().clone()
                dist.broadcast(received, 0)
                tensor.copy_(received)
        self.noise.seed = int(seed)

    @contextlib.contextmanager
    def sharing(self, data: Any) -> Iterator[Any]:
        """Returns a context of a step that yields this rank's share of its batch."""
        if num_ranks() == 1:
            yield data
            return
        self._share = share = share_of(data)
        sums = [v for v in self.metrics_variables if _is_float(v)] if share.num_copies > 1 else []
        before = [v.value.clone() for v in sums]
        RankSeedGenerator.of_share = True
        try:
            yield share.data
            for variable, old in zip(sums, before, strict=True):
                variable.assign(old + (variable.value - old) / share.num_copies)
        finally:
            self._share, RankSeedGenerator.of_share = None, False

    def of_all_ranks(self, gradients: list, is_finite: Tensor) -> tuple[list, Tensor]:
        """Returns the gradients for the whole batch, and whether numbers are finite on all ranks.

        Args:
            gradients: List of tensors, those of the mean over this rank's share.
            is_finite: Bool tensor (n,).
        """
        if self._share is None:
            return gradients, is_finite
        weighted = [self._share.weight * g for g in gradients]
        *gradients, votes = summed([*weighted, is_finite.to(torch.float32)])
        return gradients, votes > num_ranks() - 0.5

    def commit(self, scope: ForwardScope, is_good: bool) -> None:
        if self._share is not None:
            self._agree(scope, self._share.weight)
        if is_good:
            for variable, value in scope.assigned():
                variable.assign(value)

    def _agree(self, scope, weight):
        """Makes all ranks assign the same value: the mean over the batch, or, if there can be no
        mean, that of the first rank."""
        variables = [*self.trainable_variables, *self.non_trainable_variables]
        pairs = [(v, scope.get_current_value(v)) for v in variables if _is_float(v)]
        assigned = [(v, new) for v, new in pairs if new is not None and not _is_held(v, new)]
        parts = [
            _of_first(new) if v.aggregation == "only_first_replica" else weight * new
            for v, new in assigned
        ]
        for (variable, _), new in zip(assigned, summed(parts), strict=True):
            scope.add_update((variable, new))

    def get_metrics_result(self) -> dict:
        """Returns the logs over the shares of all ranks."""
        sums = [v for v in self.metrics_variables if _is_float(v)] if num_ranks() > 1 else []
        own = [v.value.clone() for v in sums]
        for variable, of_all in zip(sums, summed(own), strict=True):
            variable.assign(of_all)
        logs = super().get_metrics_result()  # type: ignore[misc]
        for variable, value in zip(sums, own, strict=True):
            variable.assign(value)
        return logs

    def across_replicas(self, statistics: Tensor) -> Tensor:
        """Returns the sum of a tensor over the ranks that share a step."""
        if self._share is None:
            return statistics
        share = self._share
        return _SumOverRanks.apply(statistics, share.weight) / share.num_copies

    def of_first_replica(self, tensor: Tensor) -> Tensor:
        """Returns a tensor's value on the first of the ranks that share a step."""
        return tensor if self._share is None else summed([_of_first(tensor)])[0]


class _SumOverRanks(torch.autograd.Function):
    """A sum over ranks, whose gradient is that of the mean over the whole batch.

    A rank's summand affects the costs of all ranks, each of which counts by its weight.
    """

    @staticmethod
    def forward(ctx, tensor, weight):
        ctx.weight = weight
        return summed([tensor])[0]

    @staticmethod
    def backward(ctx, gradient):
        return summed([ctx.weight * gradient])[0] / ctx.weight, None


def _of_first(tensor):
    return tensor if rank() == 0 else torch.zeros_like(tensor)


def _is_float(variable):
    return variable.value.is_floating_point()


def _is_held(variable, value):
    """Whether a value is that of the variable itself, so that nothing was assigned."""
    return value.data_ptr() == variable.value.data_ptr()
