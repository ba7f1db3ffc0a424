"""Saving and loading of a whole model as a preset."""

import copy
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_vae import presets
from keras_vae.models.saving import named_weights
from keras_vae.models.saving import trusted_config
from keras_vae.models.saving.blank_weights import blank_weights
from keras_vae.models.saving.weight_budget import weight_budget

_STORED = ("float32", "float16")


def save_model(model: keras.Model, folder: str | Path, dtype: str = "float32") -> None:
    """Writes a model's configuration and weights as a preset.

    Args:
        model: A `GenerativeModel` with `parts()`.
        folder: Path.
        dtype: "float32" or "float16", in which weights of single precision are stored.

    Raises:
        ValueError: If the model is not built, could not be loaded again, or has weights that are
            not finite in `dtype`, or if `dtype` is neither of the two. Nothing is written then.
        OSError: If the disk is full, or the folder cannot be written to. It keeps what it held.
    """
    if dtype not in _STORED:
        raise ValueError(f"`dtype` must be one of {', '.join(_STORED)}. Received: {dtype!r}.")
    if not model.built:
        raise ValueError(
            f"This {type(model).__name__} has no weights yet: its networks do not know the shape "
            "of their input. Train it, or call `model.build((None, *data_shape))` first."
        )
    config = keras.saving.serialize_keras_object(model)
    config = {k: config[k] for k in ("module", "class_name", "config", "registered_name")}
    config, arrays = _without_compilation(config), named_weights.arrays_of(model)
    with np.errstate(over="ignore"):  # overflowing values become infinite, and are refused
        arrays = named_weights.stored(arrays, dtype)
    _check_again(_rebuilt(config, arrays, "this model"), arrays)
    presets.write_preset(folder, config, arrays)


def save_foreign(model: keras.Model, folder: str | Path) -> None:
    """Writes a model in diffusers' layout; see `EncoderDecoderModel.save_to_diffusers`."""
    arrays = named_weights.arrays_of(model)
    named_weights.check_finite(model, arrays, "this model")
    presets.write_foreign(folder, keras.saving.serialize_keras_object(model), arrays)


def load_model(name_or_folder: str | Path, model_class: type) -> Any:
    """Returns the model of a preset with its weights.

    The configuration is checked before any object is created from it, and the file's table of
    tensors is checked against the resulting model before any tensor is read.

    Args:
        name_or_folder: See `presets.find`.
        model_class: The class it must be an instance of.

    Raises:
        ValueError: If the name is unknown, files are damaged, or the preset is of another class.
    """
    try:
        return _loaded(name_or_folder, model_class)
    except ValueError:
        if not presets.mend(name_or_folder):
            raise
    return _loaded(name_or_folder, model_class)


def _loaded(name_or_folder, model_class):
    # Not thorough: the files read below are verified as they are read.
    folder = presets.find(name_or_folder, thorough=False)
    if presets.is_foreign(folder):
        return _foreign(name_or_folder, presets.read_foreign(folder), model_class)
    preset = presets.read_preset(folder)
    _check_class(name_or_folder, preset.model_config, model_class)
    model = _rebuilt(preset.model_config, preset.table, preset.folder)
    named_weights.check_table(model, preset.table, preset.folder)
    named_weights.assign_all(model, preset.read_tensors(), preset.folder)
    return model


def _foreign(name_or_folder, foreign, model_class):
    """Returns the model of a preset that another library wrote."""
    _check_class(name_or_folder, foreign.model_config, model_class)
    model = _rebuilt(foreign.model_config, foreign.tensors, foreign.path)
    variables = named_weights.named_variables(model)
    foreign.check_shapes({name: variable.shape for name, variable in variables.items()})
    named_weights.assign_all(model, foreign.tensors, foreign.path)
    return model


def _check_class(name_or_folder, config, model_class):
    found = trusted_config.class_of(config)
    if found is not None and not issubclass(found, model_class):
        advice = f"Load it with {found.__name__}.from_preset(...)."
        raise ValueError(
            f"The preset {str(name_or_folder)!r} holds a {found.__name__}, not a "
            f"{model_class.__name__}. "
            f"{advice if hasattr(found, 'from_preset') else 'That is not a model of this library.'}"
        )


def _check_again(model, arrays):
    """Raises `ValueError` if the model created from a config would not take the weights back."""
    try:
        named_weights.check_table(model, arrays, "this model")
    except ValueError as error:
        raise ValueError(
            "This model could not be read back: rebuilt from its configuration, it has different "
            "weights. A `get_config` may leave something out, one part may be used twice, or a "
            "Sequential model may lie within another one, which Keras names differently when it "
            f"reads it. Cause: {error}"
        ) from error
    named_weights.check_finite(model, arrays, "this model")


def _rebuilt(config, table, source):
    """Returns the model of a config, without its weights, bounded by a table of weights."""
    try:
        trusted_config.check_config(config)
        with weight_budget(entry.shape for entry in table.values()), blank_weights():
            return keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True)
    except Exception as error:  # whatever a constructor raises for invalid arguments
        # Keras wraps a constructor's error in a page about how to write constructors.
        cause = str(error).rpartition("Exception encountered: ")[2] or type(error).__name__
        raise ValueError(
            f"The configuration of {source} cannot be turned into a model. A preset may hold "
            "layers of Keras and of this library, and classes registered with "
            "`@keras.saving.register_keras_serializable()` and imported; no Lambda. "
            f"Cause: {cause.splitlines()[0][:500]}"
        ) from error


def _without_compilation(config):
    """Drops the compile configs of parts: a preset is for use, not for resuming training."""
    if isinstance(config, list | tuple):
        return [_without_compilation(value) for value in config]
    if not isinstance(config, dict):
        return config
    dropped = {"compile_config"} if "class_name" in config else set()
    return {k: _without_compilation(v) for k, v in config.items() if k not in dropped}
