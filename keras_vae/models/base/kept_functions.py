"""Compiled functions of a model, kept from one call to the next."""

import operator
import threading
from collections.abc import Callable
from typing import Any

import keras

from keras_vae.models.base.arguments import is_same

_MAX_KEPT = 16  # of different keys, of a model


class KeptFunctions:
    """Keeps what `jitted` returns for as long as the model is made of the same parts.

    A compiled function has the model's layers and its settings built into it; weights and random
    streams it reads anew at each call. So the functions are dropped once another layer or variable
    is there, a setting is another, or the model has another optimizer. They are no part of a copy
    of the model, nor of any file.
    """

    def __init__(self) -> None:
        self._functions: dict[Any, Callable] = {}
        self._parts: list = []
        self._settings: list = []
        self._lock = threading.Lock()

    def get(self, model: keras.Model, key: Any, function: Callable) -> Callable:
        """Returns the function kept under a key, or else `model.jitted(function)`.

        Args:
            model: `GenerativeModel`.
            key: hashable, all that `function` depends on besides the model.
            function: function of arrays, as `jitted` takes it.
        """
        with self._lock:
            self._drop_outdated(model)
            if key not in self._functions:
                if len(self._functions) == _MAX_KEPT:
                    del self._functions[next(iter(self._functions))]
                self._functions[key] = model.jitted(function)
            return self._functions[key]

    def _drop_outdated(self, model):
        parts = [*model._flatten_layers(), *model.variables, getattr(model, "optimizer", None)]
        same_parts = len(parts) == len(self._parts) and all(map(operator.is_, parts, self._parts))
        settings = model.settings()
        if not same_parts or not is_same(settings, self._settings):
            self._functions.clear()
            self._parts, self._settings = parts, settings
