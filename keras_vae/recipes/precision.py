"""Training in mixed precision, for presets that compute in float32."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras

from keras_vae.models import GenerativeModel


@contextlib.contextmanager
def built_in(precision: str) -> Iterator[None]:
    """Within this context layers get the named dtype policy, such as "mixed_bfloat16"."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def in_float32(model: GenerativeModel) -> GenerativeModel:
    """Returns a model with the same weights that computes in float32, or the model itself if it
    already does."""
    config = keras.saving.serialize_keras_object(model)
    of_float32 = _in_float32(config)
    if of_float32 == config:
        return model
    copy = keras.saving.deserialize_keras_object(of_float32)
    copy.set_weights(model.get_weights())
    return copy


def _in_float32(config: Any) -> Any:
    if isinstance(config, list | tuple):
        return type(config)(_in_float32(value) for value in config)
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return {**config, "config": {**config["config"], "name": "float32"}}
    return {key: _in_float32(value) for key, value in config.items()}
