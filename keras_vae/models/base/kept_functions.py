"""Compiled functions of a model, kept from one call to the next."""

import operator
import threading
from collections.abc import Callable
from typing import Any

import keras

from keras_vae.models.base.arguments import is_same

_MAX_KEPT = 16  # keys for each model


class KeptFunctions:
    """Keeps what `jitted` returns for as long as the model is made of the same parts.

    The model's layers and settings are constants of a compiled function; it reads weights and
    random streams anew at each call. So the functions are dropped when a layer, variable, setting
    or the optimizer changes. They are neither copied nor saved with the model.
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
            key: Hashable; identifies everything that `function` depends on besides the model.
            function: Function of arrays, as `jitted` takes it.
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
        settings = [*model.settings(), getattr(model, "sample_batch_size", None)]
        if not same_parts or not is_same(settings, self._settings):
            self._functions.clear()
            self._parts, self._settings = parts, settings
