"""A note in weights files of which weights their optimizer state belongs to."""

import json
import os
import warnings
from typing import Any

import h5py
import keras

from keras_vae.models.saving import frozen_layers

_ATTRIBUTE = "keras_vae_trained_layers"


def write(model: keras.Model, path: str | os.PathLike) -> None:
    """Writes the note into a model's `.weights.h5`, if its optimizer has a state."""
    if model.compiled and model.optimizer.built:
        with h5py.File(path, "r+") as file:
            file.attrs[_ATTRIBUTE] = json.dumps(_trained(model))


def check(model: keras.Model, path: str | os.PathLike) -> bool:
    """Returns whether the state in a `.weights.h5` fits the optimizer of a model; warns if not.

    Args:
        model: A compiled `GenerativeModel` whose optimizer is built.
        path: Path of the file. A file without a note, written by Keras itself, is assumed to fit.
    """
    with h5py.File(path, "r") as file:
        note = file.attrs.get(_ATTRIBUTE)
    if note is None or json.loads(note) == _trained(model):
        return True
    warnings.warn(
        f"{os.fspath(path)} was saved when other layers of this {type(model).__name__} were "
        "trainable: its weights are loaded, but not the state of its optimizer, which is "
        "unchanged. To continue that training, set `trainable` as it was and call `compile` before "
        "`load_weights`.",
        stacklevel=3,
    )
    return False


def _trained(model) -> dict[str, Any]:
    return frozen_layers.state_for(model, model.variables_with_slots())
