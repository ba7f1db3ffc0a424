"""One optimizer for each group of a model's weights."""

import keras
from keras import ops

from keras_vae.models.base.term import MAIN


@keras.saving.register_keras_serializable(package="keras_vae")
class GroupMap(keras.optimizers.OptimizerMap):
    """Which optimizer a variable has: that of its group, found by the variable itself.

    By its path it cannot be found for sure: that of a layer in the attribute `discriminator` may
    begin with "sequential_1".
    """

    def assign(self, groups, switches):
        """Receives the model's groups, `{name: variables}`, and `{name: switch}` of some."""
        self._of_variable = {id(v): self[k] for k, group in groups.items() for v in group}
        self.switched = [(switches[k], self[k], groups[k]) for k in switches]

    def __call__(self, variable):
        return self._of_variable[id(variable)]


@keras.saving.register_keras_serializable(package="keras_vae")
class GroupOptimizer(keras.optimizers.MultiOptimizer):
    """`keras.optimizers.MultiOptimizer` of a model's groups, which may be switched off.

    Args:
        optimizer_map: `GroupMap`.
        **kwargs: as for every Keras optimizer.
    """

    def attach(self, model):
        """Receives the model whose groups of variables, when it is built, are those of the map."""
        # Not the model itself: Keras would save it as a part of its own optimizer.
        self._groups, self._switches = model.groups, model.switches

    def build(self, variables):
        if not self.built:
            self._optimizer_map.assign(self._groups(), self._switches())
        super().build(variables)

    def apply(self, grads, trainable_variables=None):
        kept = [
            (variable, ops.copy(variable.value), self._is_on(switch))
            for switch, optimizer, variables in self._optimizer_map.switched
            for variable in [*variables, *optimizer.variables]
        ]
        super().apply(grads, trainable_variables)
        for variable, before, is_on in kept:
            variable.assign(ops.where(is_on, variable.value, before))

    def _is_on(self, switch):
        if isinstance(switch, keras.Variable):
            return switch.value > 0
        return switch(ops.cast(self.iterations.value, "float32")) > 0


def check_optimizer(optimizer, model):
    """Returns what `compile` was given as one optimizer.

    Args:
        optimizer: an optimizer of Keras, its name, or a dict of them by group.
        model: `GenerativeModel`.

    Raises:
        ValueError: if the keys of the dict are not the model's groups, or the model switches
            groups and has one optimizer for all.
    """
    groups = set(model.group_names(model.objective()))
    if isinstance(optimizer, dict):
        if optimizer.keys() != groups:
            raise ValueError(
                f"`optimizer` must hold one optimizer for each group of {type(model).__name__}. "
                f"Expected: a dict with the keys {sorted(groups)}. Received: the keys "
                f"{sorted(optimizer)}."
            )
        found = {k: keras.optimizers.get(v) for k, v in optimizer.items()}
        optimizer = GroupOptimizer(GroupMap(found.get(MAIN, next(iter(found.values()))), found))
    if isinstance(optimizer, GroupOptimizer):
        optimizer.attach(model)
    if model.switches() and not isinstance(optimizer, GroupOptimizer):
        raise ValueError(
            f"{type(model).__name__} switches the groups {sorted(model.switches())} on and off, "
            "whose optimizers must then be their own: one for all would go on counting. Expected: "
            f"a dict with the keys {sorted(groups)}. Received: optimizer={optimizer!r}."
        )
    return optimizer
