"""Saving in a model's config which of its layers are frozen.

Keras stores `trainable` in the config of each layer. If a network's config holds only constructor
arguments, from which it creates its layers, the flags of these inner layers would be lost.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras


def flags_of(model: keras.Model) -> dict[str, bool]:
    """Returns `{path: trainable}` for layers whose flag differs from that of the enclosing layer.

    A path begins with the name of the constructor's argument, such as "encoder", or with "model"
    for layers that are in none, followed by the layer's index: "encoder/2". The priors of a model
    of codes, which it freezes itself, are left out.

    Args:
        model: A `GenerativeModel`.
    """
    return {
        path: layer.trainable
        for path, layer, is_usual in _walk(model)
        if layer.trainable != is_usual
    }


def apply_flags(model: keras.Model, flags: dict[str, bool]) -> dict[str, bool]:
    """Freezes and unfreezes layers according to flags from `flags_of`.

    Returns:
        The flags whose layers do not exist, or do not exist yet.
    """
    left = dict(flags)
    for path, layer, is_usual in _walk(model):
        # Setting a layer also sets the layers in it, which come after it.
        layer.trainable = left.pop(path, is_usual)
    return left


def state_of(model: keras.Model) -> dict[str, Any]:
    """Returns the `trainable` flags of a model and its layers, for `as_it_was`."""
    return {"trainable": model.trainable, "layers": flags_of(model)}


def state_for(model: keras.Model, variables: list[keras.Variable]) -> dict[str, Any]:
    """Returns a state as `state_of` does, in which exactly these variables are trainable."""
    trained = {id(v) for v in variables}
    frozen = {
        path: False
        for path, layer, _ in _walk(model)
        if layer._trainable_variables
        and not trained.intersection(map(id, layer._trainable_variables))
    }
    return {"trainable": bool(variables), "layers": frozen}


@contextlib.contextmanager
def as_it_was(model: keras.Model, state: dict[str, Any]) -> Iterator[None]:
    """Within this context the model has the `trainable` flags of `state`, from `state_of`."""
    now = state_of(model)
    _set_state(model, state)
    try:
        yield
    finally:
        _set_state(model, now)


def _set_state(model, state):
    priors = [(layer, layer.trainable) for layer in getattr(model, "priors", [])]
    model.trainable = state["trainable"]
    apply_flags(model, check_flags(state["layers"]))
    for layer, is_trainable in priors:  # which the model freezes itself
        layer.trainable = is_trainable


def check_flags(flags: Any) -> dict[str, bool]:
    """Returns flags read from a configuration.

    Raises:
        ValueError: If they are not a dict from strings to bools.
    """
    is_dict = isinstance(flags, dict)
    if is_dict and all(isinstance(k, str) and isinstance(v, bool) for k, v in flags.items()):
        return flags
    raise ValueError(
        "`trainable_layers` of a configuration must be a dict of paths of layers and of True or "
        f"False. Received: {flags!r}."
    )


def _walk(model) -> Iterator[tuple[str, keras.Layer, bool]]:
    """Yields (path, layer, default value of `trainable`), outer layers before inner ones."""
    parts = model.parts()
    priors = {id(layer) for layer in getattr(model, "priors", [])}
    in_parts = {*priors, *map(id, parts.values())}
    seen: set[int] = {id(model)}
    for name, part in parts.items():
        if id(part) not in priors:
            yield from _within(name, part, model, seen)
    others = [layer for layer in _direct_layers(model) if id(layer) not in in_parts]
    for i, layer in enumerate(others):
        yield from _within(f"model/{i}", layer, model, seen)


def _within(path, layer, parent, seen):
    if id(layer) in seen:
        return
    seen.add(id(layer))
    yield path, layer, parent.trainable
    for i, inner in enumerate(_direct_layers(layer)):
        yield from _within(f"{path}/{i}", inner, layer, seen)


def _direct_layers(layer):
    return layer._flatten_layers(include_self=False, recursive=False)
