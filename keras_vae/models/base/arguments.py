"""The arguments that a model was constructed with: its configuration, and its parts."""

import inspect
from numbers import Number
from typing import Any

import keras
import numpy as np

OF_EVERY_MODEL = ("seed", "name", "dtype")


class Arguments:
    """What a constructor was called with, defaults included.

    The model may keep an argument under its own name, as it is or, of `None`, what stands in for
    it. The attribute then counts, so that what is changed later is saved as it has become. What
    the model keeps under another name, or in another form, is saved as it was given.

    Args:
        model: a model, constructed.
        args, kwargs: what its constructor was given.
    """

    def __init__(self, model: keras.Model, args: tuple, kwargs: dict):
        signature = inspect.signature(type(model).__init__)
        bound = signature.bind(model, *args, **kwargs)
        bound.apply_defaults()
        self.given, self.is_open = {}, False
        self.has_positional = False
        for (name, parameter), value in zip(
            signature.parameters.items(), bound.arguments.values(), strict=True
        ):
            if parameter.kind is parameter.VAR_KEYWORD:
                self.is_open = True
                self.given.update(value)
            elif parameter.kind is parameter.VAR_POSITIONAL:
                self.has_positional = bool(value)
            else:
                self.given[name] = value
        del self.given[next(iter(signature.parameters))]  # self
        has = [name for name in self.given if hasattr(model, name)]
        self._kept = {n for n in has if _is_kept(self.given[n], getattr(model, n))}

    def of(self, model: keras.Model) -> dict:
        """Returns `{argument: value}` as the model is now, but for seed, name and dtype."""
        names = [name for name in self.given if name not in OF_EVERY_MODEL]
        return {n: getattr(model, n) if n in self._kept else self.given[n] for n in names}

    def takes(self, name: str) -> bool:
        """Whether the constructor takes an argument of every model: `seed`, `name` or `dtype`."""
        return self.is_open or name in self.given


def _is_kept(argument, attribute):
    """Whether an attribute holds the argument of its name, or what stands in for `None`."""
    if argument is None or attribute is argument:
        return True
    if isinstance(argument, list | tuple):
        is_like = isinstance(attribute, list | tuple) and len(attribute) == len(argument)
        return is_like and all(map(_is_kept, argument, attribute))
    kind = Number if isinstance(argument, Number) else str
    return isinstance(argument, kind) and isinstance(attribute, kind) and attribute == argument


def parts_of(arguments: dict) -> dict:
    """Returns `{name: layer}` of the arguments that are layers, those of a list numbered from 1:
    `encoders` are `encoder_1`, `encoder_2`, and so on."""
    parts = {}
    for name, value in arguments.items():
        if isinstance(value, keras.Layer):
            parts[name] = value
        elif isinstance(value, list | tuple) and any(isinstance(v, keras.Layer) for v in value):
            parts |= {f"{name.removesuffix('s')}_{i}": v for i, v in enumerate(value, start=1)}
    return parts


def serialized(value: Any) -> Any:
    """Returns an argument as a configuration holds it: numbers, texts, lists and dicts of them."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [serialized(v) for v in value]
    if isinstance(value, dict):
        return {k: serialized(v) for k, v in value.items()}
    config = keras.saving.serialize_keras_object(value)
    if isinstance(config, dict):
        config.pop("compile_config", None)  # of a part that is a model, and was trained on its own
    return config
