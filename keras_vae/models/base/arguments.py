"""The arguments of a model's constructor, from which its configuration and parts follow."""

import functools
import inspect
import itertools
from numbers import Number
from typing import Any

import keras
import numpy as np

from keras_vae.quantizers.codebook_updates import CodebookPart
from keras_vae.quantizers.gradient_estimators import GradientEstimator
from keras_vae.schedules import Schedule

OF_EVERY_MODEL = ("seed", "name", "dtype")


class Arguments:
    """The arguments that a constructor was called with, including defaults.

    If the model stores an argument unchanged under its own name, the attribute is saved, so that
    later changes are saved too. For arguments of this library's own classes that also holds if the
    argument was `None` and the attribute is its default. An argument that the model stores under
    another name, or in another form, is saved as it was given. Arguments that a subclass would pass
    on to its base class, but was not given, are saved once their attributes have changed.

    Args:
        model: A constructed model.
        args, kwargs: The arguments of its constructor.
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
                self.has_positional |= bool(value)
            else:
                self.has_positional |= parameter.kind is parameter.POSITIONAL_ONLY
                self.given[name] = value
        del self.given[next(iter(signature.parameters))]  # self
        self._kept = {n for n in self.given if _keeps(model, n, self.given[n])}
        handed_on = _handed_on(type(model)) if self.is_open else set()
        self._at_first = {
            name: _copied(getattr(model, name))
            for name in handed_on - self.given.keys() - {*OF_EVERY_MODEL}
            if hasattr(model, name)
        }

    def of(self, model: keras.Model) -> dict:
        """Returns the current `{argument: value}` of the model, without seed, name and dtype."""
        names = [name for name in self.given if name not in OF_EVERY_MODEL]
        own = {n: getattr(model, n) if n in self._kept else self.given[n] for n in names}
        first = self._at_first.items()
        changed = [n for n, value in first if not is_same(value, getattr(model, n))]
        return own | {name: getattr(model, name) for name in changed}

    def takes(self, name: str) -> bool:
        """Whether the constructor takes `name`, one of `seed`, `name` and `dtype`."""
        return self.is_open or name in self.given


def _keeps(model, name, argument):
    """Whether an attribute holds the argument of its name, or the default used for `None`."""
    if not hasattr(model, name):
        return False
    if argument is None and _owner_of(type(model), name).__module__.startswith("keras_vae."):
        return True
    return is_same(argument, getattr(model, name))


def is_same(argument: Any, attribute: Any) -> bool:
    """Whether two values are the same object, or equal numbers, strings, or lists or dicts of
    these."""
    if attribute is argument:
        return True
    if isinstance(argument, dict):
        is_like = isinstance(attribute, dict) and attribute.keys() == argument.keys()
        return is_like and all(is_same(v, attribute[k]) for k, v in argument.items())
    if isinstance(argument, list | tuple):
        is_like = isinstance(attribute, list | tuple) and len(attribute) == len(argument)
        return is_like and all(map(is_same, argument, attribute))
    kind = Number if isinstance(argument, Number) else str
    return isinstance(argument, kind) and isinstance(attribute, kind) and attribute == argument


def snapshot(value: Any) -> Any:
    """Returns a setting in a form that `is_same` compares by what it holds, and that stays as it is
    when a list, a dict, a schedule or a part of a quantizer is changed in place."""
    if value is None or isinstance(value, (str, float, int, keras.Layer)):  # most of them
        return value
    if isinstance(value, (list, tuple)):
        return [snapshot(v) for v in value]
    if isinstance(value, dict):
        return {k: snapshot(v) for k, v in value.items()}
    if isinstance(value, (Schedule, CodebookPart, GradientEstimator)):
        return [type(value), snapshot(_held_by(value))]
    return value


def _held_by(value):
    """Returns the config of an object, without what it may note for itself, or else all of it."""
    try:
        return value.get_config()
    except NotImplementedError:  # Keras' for schedules of one's own
        return vars(value)


def _copied(value):  # lists are filled in place
    if isinstance(value, dict):
        return dict(value)
    return list(value) if isinstance(value, list | tuple) else value


def _own_parameters(kind):
    """Returns the parameters of the constructor that a class itself defines, or none."""
    init = vars(kind).get("__init__")
    return inspect.signature(init).parameters if init else {}


def _owner_of(kind, name):
    """Returns the first of a class and its bases whose constructor takes this argument."""
    return next((base for base in kind.__mro__ if name in _own_parameters(base)), kind)


def _handed_on(kind):
    """Returns the names of arguments that a class's constructor passes on to those of its bases."""
    names = set()
    for base in itertools.takewhile(lambda base: base is not keras.Model, kind.__mro__):
        parameters = _own_parameters(base)
        names |= {n for n, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD}
        if parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            break
    return names - {"self"}


def takes(kind: type, name: str) -> bool:
    """Whether the constructor of a class takes an argument of this name."""
    parameters = inspect.signature(kind.__init__).parameters.values()
    return any(p.kind is p.VAR_KEYWORD or p.name == name for p in parameters)


def parts_of(arguments: dict) -> dict:
    """Returns `{name: layer}` of the arguments that are layers. The layers of a list are numbered
    from 1: `encoders` become `encoder_1`, `encoder_2`, and so on."""
    parts = {}
    for name, value in arguments.items():
        if isinstance(value, keras.Layer):
            parts[name] = value
        elif isinstance(value, list | tuple) and any(isinstance(v, keras.Layer) for v in value):
            parts |= {f"{name.removesuffix('s')}_{i}": v for i, v in enumerate(value, start=1)}
    return parts


def settings_of(layer: keras.Layer) -> list:
    """Returns what a layer's attributes hold of the arguments of its constructor, by their names:
    `sigma` of a likelihood, `temperature` of a quantizer, `rate` of dropout."""
    attributes = vars(layer)  # `getattr` takes ten times as long where there is none
    return [attributes.get(name) for name in _parameters(type(layer))]  # type: ignore[arg-type]


@functools.lru_cache(maxsize=512)
def _parameters(kind):
    """Returns the names of the arguments of a class's constructor, those of its bases included."""
    names = dict.fromkeys(name for base in kind.__mro__ for name in _own_parameters(base))
    return [n for n in names if n not in ("self", "args", "kwargs", *OF_EVERY_MODEL)]


def serialized(value: Any) -> Any:
    """Returns an argument as a config stores it: numbers, strings, and lists and dicts of these."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [serialized(v) for v in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(
                "Dicts in a configuration must have strings as keys, as in JSON. Received: the "
                f"keys {list(value)}."
            )
        return {k: serialized(v) for k, v in value.items()}
    config = keras.saving.serialize_keras_object(value)
    if isinstance(config, dict):
        config.pop("compile_config", None)  # of a part that is itself a trained model
    return config
