"""One optimizer for each group of a model's weights."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from keras_vae.models.base.term import MAIN
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class GroupMap(keras.optimizers.OptimizerMap):
    """Maps each variable to the optimizer of its group, by the variable itself.

    Its path would not identify the group: that of a layer in the attribute `discriminator` may
    begin with "sequential_1".
    """

    def assign(self, groups: dict[str, list]) -> None:
        """Receives the model's groups, `{name: variables}`."""
        self.groups = groups
        self._of_variable = {id(v): self[k] for k, group in groups.items() for v in group}

    def __call__(self, variable):
        return self._of_variable[id(variable)]


@keras.saving.register_keras_serializable(package="keras_vae")
class GroupOptimizer(keras.optimizers.MultiOptimizer):
    """`keras.optimizers.MultiOptimizer` of a model's groups, which may be switched off.

    Args:
        optimizer_map: `GroupMap`.
        **kwargs: As for every Keras optimizer.
    """

    def attach(self, model: keras.Model) -> None:
        """Receives the model whose groups, once it is built, are those of the map."""
        self._groups = model.groups  # not the model, which Keras would save as a part

    def build(self, variables: list) -> None:
        if not self.built:
            self._optimizer_map.assign(self._groups())
        super().build(variables)

    @contextlib.contextmanager
    def switched(self, is_on: dict[str, Tensor]) -> Iterator[None]:
        """Within this context `apply` does not change the groups, nor the state of their
        optimizers, for which `is_on`, `{group: scalar bool}`, is false."""
        self._is_on = is_on
        try:
            yield
        finally:
            del self._is_on

    @property
    def iterations(self) -> Any:
        """The updates made so far: steps, or fewer where gradients are accumulated."""
        num_steps = self._optimizer_map.default_optimizer.gradient_accumulation_steps
        return self._iterations if not num_steps else self._iterations // num_steps

    def finalize_variable_values(self, var_list: list) -> None:
        for optimizer in self.optimizers:
            own = [v for v in var_list if self._optimizer_map(v) is optimizer]
            # An optimizer whose group was never on has no average to assign.
            if own and int(ops.convert_to_numpy(optimizer.iterations)):
                optimizer.finalize_variable_values(own)

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        kept = [
            (variable, ops.copy(variable.value), is_on)
            for group, is_on in getattr(self, "_is_on", {}).items()
            for variable in [
                *self._optimizer_map.groups[group],
                *self._optimizer_map[group].variables,
            ]
        ]
        super().apply(grads, trainable_variables)
        for variable, before, is_on in kept:
            variable.assign(ops.where(is_on, variable.value, before))


def check_optimizer(optimizer: Any, model: keras.Model) -> Any:
    """Returns the `optimizer` argument of `compile` as one optimizer.

    Args:
        optimizer: A Keras optimizer, its name, or a dict of them by group. If the model switches
            groups, a name creates one for each group.
        model: `GenerativeModel`.

    Raises:
        ValueError: If the keys of the dict are not the model's groups, or the model switches
            groups and has one optimizer for all.
    """
    groups = set(model.group_names(model.objective()))
    if isinstance(optimizer, str) and model.switches():
        optimizer = dict.fromkeys(groups, optimizer)
    if isinstance(optimizer, dict):
        if optimizer.keys() != groups:
            raise ValueError(
                f"`optimizer` must hold one optimizer for each group of {type(model).__name__}. "
                f"Expected: a dict with the keys {sorted(groups)}. Received: the keys "
                f"{sorted(optimizer)}."
            )
        found = {k: keras.optimizers.get(v) for k, v in optimizer.items()}
        if model.switches() and len({id(v) for v in found.values()}) < len(found):
            raise ValueError(
                f"{type(model).__name__} switches the groups {sorted(model.switches())} on and "
                "off, and an optimizer shared by two groups would lose its state for one with the "
                "other. Expected: a separate optimizer for each group. Received: the same object "
                "twice."
            )
        optimizer = GroupOptimizer(GroupMap(found.get(MAIN, next(iter(found.values()))), found))
    if isinstance(optimizer, GroupOptimizer):
        optimizer.attach(model)
    if model.switches() and not isinstance(optimizer, GroupOptimizer):
        raise ValueError(
            f"{type(model).__name__} switches the groups {sorted(model.switches())} on and off, so "
            "each needs its own optimizer: a shared one would keep counting steps while a group is "
            f"off. Expected: a dict with the keys {sorted(groups)}. Received: "
            f"optimizer={optimizer!r}."
        )
    return optimizer
