"""The train step on PyTorch."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import keras
import torch

from keras_vae.steps import torch_networks
from keras_vae.steps.step import LARGEST_GRADIENT
from keras_vae.steps.torch_batches import BatchesLoader
from keras_vae.steps.torch_fused import fused_updates
from keras_vae.steps.torch_ranks import RankedStep


class TorchStep(RankedStep):
    """Train and test steps with `torch.autograd.grad`.

    Gradients are taken group by group and never accumulated in `.grad`, so that one group's cost
    cannot leak into another's variables.
    """

    def train_step(self, data: Any) -> Any:
        """Makes one update and returns the logs; Keras calls it."""
        with self.sharing(data) as share:
            self._update(share)
        return self.get_metrics_result()

    def _update(self, data):
        groups = self.groups()
        with self.forward_scope() as scope:
            costs = self.costs(data, training=True)
            scaled = [self.optimizer.scale_loss(cost) for cost in costs.of_groups]
            is_on = self.groups_on()
        of_variable: dict[int, Any] = {}
        for i, (group, cost) in enumerate(zip(groups.values(), scaled, strict=True)):
            if not group:  # all of them frozen
                continue
            if not cost.requires_grad:  # no term of the group has a weight
                cost = cost + 0.0 * sum(v.value.sum() for v in group)
            gradients = torch.autograd.grad(
                cost,
                [v.value for v in group],
                retain_graph=i + 1 < len(groups),
                allow_unused=True,
                materialize_grads=True,
            )
            of_variable.update(zip(map(id, group), gradients, strict=True))
        in_order = self.in_order(of_variable)
        with torch.no_grad():
            is_finite = self.judged(costs.guarded, _are_finite(in_order))
            in_order, is_finite = self.of_all_ranks(in_order, is_finite)
            self.guard.update_state(is_finite)
            is_good = self.guard.is_good(self.guard.state.value)
            self.commit(scope, is_good)
            if is_good:
                with self.switched(is_on), fused_updates(self.optimizer):
                    self.optimizer.apply(in_order, self.trainable_variables)

    def test_step(self, data: Any) -> Any:
        """Records the metrics of one batch and returns the logs; Keras calls it."""
        with self.sharing(data) as share:
            self.costs(share, training=False)
        return self.get_metrics_result()

    def reading(self) -> contextlib.AbstractContextManager:
        """Returns a context for what reads the weights: its tensors keep no gradients."""
        return torch.no_grad()

    def check_process(self) -> None:
        """Does nothing: PyTorch computes in a forked process too."""

    def output_of(self, network: Any, inputs: Any, training: bool = False) -> Any:
        return torch_networks.output_of(network, inputs, training)

    def called(self, layer: keras.Layer, inputs: Any) -> Any:
        return torch_networks.called(layer, inputs)

    def batches_for_epochs(self, batches: Any, listens: bool) -> Any:
        return BatchesLoader(batches)

    def jitted(self, function: Callable) -> Callable:
        """Returns `function(*arrays)`, which may use the model, without gradients and giving
        NumPy arrays.

        Not traced by `torch.compile`, whose compilation takes longer than most evaluations.
        Random streams that it draws from advance, as they do outside.
        """

        @functools.wraps(function)
        def call(*arrays):
            with torch.no_grad():
                outputs = function(*[keras.ops.convert_to_tensor(a) for a in arrays])
            return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)

        return call


def _are_finite(gradients):
    """Returns a scalar bool: whether every gradient is finite, and so is its square."""
    if not gradients:
        return torch.tensor(True)
    # Sums, and no norms or maxima, which cost five times as much on a processor. In float32, where
    # those of half precision cannot overflow.
    sums = torch.stack([g.sum(dtype=torch.float32) for g in gradients])
    return (sums.abs() < LARGEST_GRADIENT).all()  # false of NaN
