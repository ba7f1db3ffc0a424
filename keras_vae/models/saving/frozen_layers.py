"""Which layers of a model are frozen, as its configuration says it.

Keras keeps `trainable` in the configuration of each layer; of a network that is configured by the
arguments of its constructor, and makes its layers itself, that of the inner ones would be lost.
"""

from collections.abc import Iterator
from typing import Any

import keras


def flags_of(model: keras.Model) -> dict[str, bool]:
    """Returns `{path: trainable}` of the layers that differ in it from the layer they are in.

    A path begins with the constructor's argument, "encoder", or with "model" for what is in none,
    and goes on with the places of layers in it: "encoder/2". The priors of a model of codes, which
    it freezes itself, are left out.

    Args:
        model: a `GenerativeModel`.
    """
    return {
        path: layer.trainable
        for path, layer, is_usual in _walk(model)
        if layer.trainable != is_usual
    }


def apply_flags(model: keras.Model, flags: dict[str, bool]) -> dict[str, bool]:
    """Freezes and unfreezes what `flags_of` has found.

    Returns:
        Those flags whose layers do not exist, or do not yet.
    """
    left = dict(flags)
    for path, layer, is_usual in _walk(model):
        # What is in a layer follows it, and is looked at after it.
        layer.trainable = left.pop(path, is_usual)
    return left


def check_flags(flags: Any) -> dict[str, bool]:
    """Returns flags read from a configuration.

    Raises:
        ValueError: If they are no dict of texts and bools.
    """
    is_dict = isinstance(flags, dict)
    if is_dict and all(isinstance(k, str) and isinstance(v, bool) for k, v in flags.items()):
        return flags
    raise ValueError(
        "`trainable_layers` of a configuration must be a dict of paths of layers and of True or "
        f"False. Received: {flags!r}."
    )


def _walk(model) -> Iterator[tuple[str, keras.Layer, bool]]:
    """Yields (path, layer, trainable as it is if nobody changes it), outer layers before inner."""
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
