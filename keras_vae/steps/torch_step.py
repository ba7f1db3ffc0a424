"""The train step on PyTorch."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import keras
import torch

from keras_vae import devices
from keras_vae import products
from keras_vae.devices import with_numbers_at_hand
from keras_vae.steps import torch_fused
from keras_vae.steps import torch_networks
from keras_vae.steps.torch_batches import BatchesLoader
from keras_vae.steps.torch_products import are_exact
from keras_vae.steps.torch_products import product
from keras_vae.steps.torch_ranks import RankedStep
from keras_vae.steps.torch_ranks import num_ranks
from keras_vae.typing import Tensor

products.multiply_by(product)
devices.are_exact_where(are_exact)


class TorchStep(RankedStep):
    """Train and test steps with `torch.autograd.grad`.

    Gradients are taken group by group and never accumulated in `.grad`, so that one group's cost
    cannot leak into another's variables.
    """

    _tells_logs = True  # whether logs are computed after each step

    def train_step(self, data: Any) -> Any:
        """Makes one update and returns the logs; Keras calls it."""
        with self.sharing(data) as share:
            self._update(share)
        return self.get_metrics_result() if self._tells_logs else {}

    def _update(self, data):
        groups = self.kept("groups", self.groups)
        with self._looking(), self.forward_scope() as scope:
            costs = self.costs(data, training=True)
            scaled = [self.optimizer.scale_loss(cost) for cost in costs.of_groups]
            is_on = self.groups_on()
        of_variable: dict[int, Any] = {}
        for i, (group, cost) in enumerate(zip(groups.values(), scaled, strict=True)):
            if not group:  # all of them frozen
                continue
            if not cost.requires_grad:  # no term of the group has a weight other than 0
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
            is_finite = self.judged(costs.guarded, _size_of(in_order))
            in_order, is_finite = self.of_all_ranks(in_order, is_finite)
            is_good = self._tell_guard(is_finite)
            self.commit(scope, is_good)
            if is_good:
                with self.switched(is_on):
                    torch_fused.apply(self.optimizer, in_order, self.trained())

    def _tell_guard(self, is_finite):
        """Adds a batch to the guard's state, and returns whether all batches were good so far."""
        state = self.guard.state.value
        if all(is_finite.tolist()[:-1]) and not int(state[1]):
            state[:1].add_(1)  # all that a good batch changes
            return True
        self.guard.update_state(is_finite)
        return False

    def _looking(self):
        """Returns a context in which values of tensors are read if that costs nothing."""
        is_on_cpu = self.guard.state.value.device.type == "cpu"
        is_eager = is_on_cpu and not torch.compiler.is_compiling()
        return with_numbers_at_hand() if is_eager else contextlib.nullcontext()

    def _record(self, *args):
        with torch.no_grad():
            super()._record(*args)

    def stacked(self, values: list) -> Tensor:
        if all(isinstance(v, torch.Tensor) and v.dtype == torch.float32 for v in values):
            return torch.stack(values)
        if any(isinstance(v, torch.Tensor) for v in values):
            return super().stacked(values)
        return torch.tensor(values, dtype=torch.float32, device=self.guard.state.value.device)

    def are_below(self, values: list[Tensor], bounds: list[float]) -> Tensor:
        return self.stacked(values).abs() < self.stacked(bounds)

    def test_step(self, data: Any) -> Any:
        """Records the metrics of one batch and returns the logs; Keras calls it."""
        with self.sharing(data) as share, self._looking():
            self.costs(share, training=False)
        return self.get_metrics_result()

    def reading(self) -> contextlib.AbstractContextManager:
        """Returns a context for reading the weights, without tracking gradients."""
        return torch.no_grad()

    def check_process(self) -> None:
        """Does nothing: PyTorch computes in a forked process too."""

    def output_of(self, network: Any, inputs: Any, training: bool = False) -> Any:
        return torch_networks.output_of(network, inputs, training)

    def called(self, layer: keras.Layer, *inputs: Any) -> Any:
        return torch_networks.called(layer, *inputs)

    def batches_for_epochs(self, batches: Any, listens: bool) -> Any:
        # Ranks compute logs together, not each when its own progress bar is due.
        self._tells_logs = listens or num_ranks() > 1
        return BatchesLoader(batches)

    def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Trains the model; see `keras.Model.fit`."""
        try:
            return super().fit(x, *args, **kwargs)
        finally:
            self._tells_logs = True

    def jitted(self, function: Callable) -> Callable:
        """Returns `function(*arrays)`, which may use the model, without gradients and returning
        NumPy arrays.

        It is not compiled by `torch.compile`, which takes longer than most evaluations. Random
        streams that it draws from advance as usual.
        """

        @functools.wraps(function)
        def call(*arrays):
            with torch.no_grad():
                outputs = function(*[keras.ops.convert_to_tensor(a) for a in arrays])
            return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)

        return call


def _size_of(gradients):
    """Returns a scalar that is finite if every gradient is; see `Step.judged`."""
    if not gradients:
        return torch.tensor(0.0)
    # Sums, because norms or maxima cost five times as much on a CPU. In float32, so that sums of
    # half-precision gradients cannot overflow.
    return torch.stack([g.sum(dtype=torch.float32) for g in gradients]).abs().sum()
