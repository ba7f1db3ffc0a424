"""Checks of configs of unknown origin: nothing in them may decide what code is imported."""

import math
import sys
from typing import Any

import keras

MAX_OBJECTS = 10_000
MAX_INT = 2**24
MAX_SEED = 2**63
MAX_SIZE = 2**24  # elements of one example: networks are wired for it before they have weights

# Modules of Keras whose objects are defined by numbers alone. Left out are layers that run code
# from the file (Lambda, wrappers of JAX, torch and SavedModel) or read other files (vocabularies).
_KERAS_ROOMS = (
    "keras.src.constraints.",
    "keras.src.dtype_policies.",
    "keras.src.initializers.",
    "keras.src.layers.activations.",
    "keras.src.layers.attention.",
    "keras.src.layers.convolutional.",
    "keras.src.layers.core.",
    "keras.src.layers.merging.",
    "keras.src.layers.normalization.",
    "keras.src.layers.pooling.",
    "keras.src.layers.preprocessing.image_preprocessing.",
    "keras.src.layers.preprocessing.normalization.",
    "keras.src.layers.preprocessing.rescaling.",
    "keras.src.layers.regularization.",
    "keras.src.layers.reshaping.",
    "keras.src.layers.rnn.",
    "keras.src.models.",
    "keras.src.ops.",
    "keras.src.random.seed_generator.",
    "keras.src.regularizers.",
)
_LAMBDA = "keras.src.layers.core.lambda_layer."
_DATA = ("__tensor__", "__numpy__")
_PLAIN = ("__keras_tensor__", "__slice__", "__ellipsis__", "__bytes__", *_DATA)
_COUNTS = ("seed", "shared_object_id", "num_examples", "num_steps")  # which do not determine sizes


def check_config(config: dict) -> None:
    """Checks a serialised Keras object before it is deserialised.

    It may hold numbers within bounds, and name classes and functions that are registered
    (this library's, and those passed to `keras.saving.register_keras_serializable()`) or belong
    to the part of Keras whose objects are defined by numbers alone. The check imports nothing.

    Args:
        config: A JSON-compatible object.

    Raises:
        ValueError: If it names anything else; the message says where.
    """
    if not isinstance(config, dict) or not isinstance(class_of(config), type):
        name = str(config.get("class_name"))[:100] if isinstance(config, dict) else "nothing"
        raise ValueError(f"it names a class that is unknown or not allowed: {name}")
    num_objects = 0
    pending = [("model", config, False)]
    while pending:
        path, value, is_data = pending.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                _check_object(path, value)
                is_data = value["class_name"] in _DATA
                num_objects += 1
            if "inbound_nodes" in value:
                _check_calls(path, value["inbound_nodes"])
            pending += [(f"{path}.{k}"[-200:], v, is_data) for k, v in value.items()]
        elif isinstance(value, list | tuple):
            _check_size(path, value)
            pending += [(path, v, is_data) for v in value]
        elif isinstance(value, int | float):
            _check_number(path, value, is_data)
    if num_objects > MAX_OBJECTS:
        raise ValueError(f"it describes {num_objects:,} objects, and {MAX_OBJECTS:,} are allowed")


def class_of(config: dict) -> type | None:
    """Returns the class that an object's config names, or `None` if it is unknown.

    It is looked up in the registry and in modules that are already imported.
    """
    name: Any = config.get("class_name")
    module: Any = config.get("module")
    registered_name = config.get("registered_name", name)
    # Keras treats a config without the key "module" as legacy and uses the class name alone. For a
    # class defined in a script or notebook the key exists, with the value `None`.
    texts = (name, module or "", registered_name or "")
    if "module" not in config or not all(isinstance(text, str) for text in texts):
        return None
    found = keras.saving.get_registered_object(registered_name)
    if found is None and module and module.split(".")[0] == "keras":
        found = getattr(sys.modules.get(module), name, None)
        found = found if _is_of_numbers(found) else None
    return found if isinstance(found, type) else None


def _is_of_numbers(found):
    if not isinstance(found, type):
        return False
    room = f"{found.__module__}."
    return room.startswith(_KERAS_ROOMS) and room != _LAMBDA


def _check_object(path, config):
    name = config["class_name"]
    shown = f"{str(config.get('module'))[:100]}.{str(name)[:100]}"
    if "config" not in config:
        raise ValueError(f"{path} names {shown} and has no `config`")
    if name in _PLAIN:
        _check_plain(path, name, config["config"])
    elif name == "function":
        if not _is_known_function(config["config"], config.get("module")):
            raise ValueError(f"{path} is a function that is not allowed: {shown}")
    elif class_of(config) is None:
        raise ValueError(f"{path} is of a class that is unknown or not allowed: {shown}")
    if config.get("compile_config"):
        raise ValueError(f"{path} has a `compile_config`, and a preset holds no optimizer")


def _check_plain(path, name, inner):
    if not isinstance(inner, dict):
        raise ValueError(f"{path} is a {name} without its values")
    if name in _DATA:
        try:
            keras.backend.standardize_dtype(inner.get("dtype") or "")
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} holds data of a dtype that is not allowed") from error


def _is_known_function(name, module):
    if not isinstance(name, str):
        return False
    if keras.saving.get_registered_object(name) is not None:
        return True
    is_public = not name.startswith("_") and callable(getattr(keras.activations, name, None))
    return is_public and module in ("builtins", "keras.activations")


def _check_calls(path, nodes):
    """Checks that layers are called on symbolic tensors: numbers would be computed, at any size."""
    for node in nodes if isinstance(nodes, list | tuple) else [nodes]:
        if not isinstance(node, dict) or not _has_symbol(node):
            raise ValueError(f"{path} has an inbound node that is not connected to a layer")


def _has_symbol(value):
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                return True
            pending += value.values()
        elif isinstance(value, list | tuple):
            pending += value
    return False


def _check_size(path, values):
    """Bounds the shape of data; shapes between layers follow from it and may be larger."""
    if path.endswith("shape") and ".build_config." not in path and ".inbound_nodes." not in path:
        size = math.prod(n for n in values if type(n) is int and abs(n) <= MAX_INT)
        if len(values) > 8 or abs(size) > MAX_SIZE:
            raise ValueError(f"{path} is larger than the bound of {MAX_SIZE:,} numbers")


def _check_number(path, value, is_data):
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{path} is {value}, which is not a finite number")
        return
    bound = MAX_SEED if is_data or path.endswith(_COUNTS) else MAX_INT
    if abs(value) > bound:
        raise ValueError(f"{path} is {str(value)[:40]}, beyond the bound of {bound:,}")
