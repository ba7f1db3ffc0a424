"""A whole model as a preset, and back."""

import copy

import keras

from keras_vae import presets
from keras_vae.models import tensors


def save_model(model, folder):
    """Writes a model's configuration and weights as a preset.

    Args:
        model: a `GenerativeModel` with `parts()`.
        folder: path.

    Raises:
        ValueError: the model is not built, or could not be read again. Nothing is written then.
    """
    if not model.built:
        raise ValueError(
            f"This {type(model).__name__} has no weights yet: its networks do not know their "
            "input's shape. Train it, or call `model.build((None, *data_shape))` first."
        )
    config = keras.saving.serialize_keras_object(model)
    config = {k: config[k] for k in ("module", "class_name", "config", "registered_name")}
    _rebuilt(config, "this model")
    presets.write_preset(folder, config, tensors.arrays_of(model))


def load_model(name_or_folder, model_class):
    """Returns the model of a preset with its weights.

    Args:
        name_or_folder: as for `presets.find`.
        model_class: the class it must be an instance of.

    Raises:
        ValueError: unknown name, damaged files, or a preset of another class.
    """
    preset = presets.read_preset(presets.find(name_or_folder))
    model = _rebuilt(preset.model_config, preset.folder)
    if not isinstance(model, model_class):
        raise ValueError(
            f"The preset {str(name_or_folder)!r} holds a {type(model).__name__}, not a "
            f"{model_class.__name__}. Load it with {type(model).__name__}.from_preset(...)."
        )
    tensors.assign_all(model, preset.tensors, preset.folder)
    return model


def _rebuilt(config, source):
    """Returns the model of a config, made of registered classes only and without weights."""
    try:
        return keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(
            f"The configuration of {source} cannot be turned into a model. A preset may hold "
            "layers of Keras and of this library, and classes registered with "
            "`@keras.saving.register_keras_serializable()` and imported; no Lambda. "
            f"Cause: {str(error).splitlines()[0]}"
        ) from error
