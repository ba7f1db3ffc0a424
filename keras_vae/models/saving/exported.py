"""The arguments of Keras' `export` for a model, and checks of where it cannot work."""

import os
from typing import Any

import keras

from keras_vae.layers.recurrence import check_recurrence

# The formats that are tested, and the backends from which Keras writes them.
FORMATS = {"tf_saved_model": ("tensorflow", "jax"), "onnx": ("tensorflow", "torch")}


def check_export(model: keras.Model, export_format: str) -> None:
    """Raises an error if a model cannot be exported.

    Args:
        model: A `GenerativeModel`.
        export_format: Name of one of Keras' formats.

    Raises:
        ValueError: If the model is not built, or the format cannot be written on this backend.
        RuntimeError: If the format would be written with wrong numbers.
    """
    backend = keras.config.backend()
    if not model.built:
        raise ValueError(
            f"This {type(model).__name__} cannot be exported yet: its networks do not determine "
            "the shape of the data. Train it, or call `model.build((None, *data_shape))` first."
        )
    if backend not in FORMATS.get(export_format, (backend,)):
        works = [name for name, backends in FORMATS.items() if backend in backends]
        raise ValueError(
            f"Keras cannot export {export_format!r} on {backend}. Use "
            f"{' or '.join(f'format={name!r}' for name in works)}, or save the model with "
            "`model.save`, and load and export it under "
            f"KERAS_BACKEND={FORMATS[export_format][0]}. Received: format={export_format!r}."
        )
    check_recurrence(model, export_format)


def signature_of(model: keras.Model) -> list[Any]:
    """Returns the input signature of `predict`: x, or [x, condition], by name and for any number of
    examples."""
    inputs = model.symbolic_pair()[: 2 if model.predicts_from_pairs else 1]
    specs = [
        keras.InputSpec(shape=(None, *tensor.shape[1:]), dtype=tensor.dtype, name=name)
        for tensor, name in zip(inputs, ("x", "condition"), strict=False)
    ]
    return specs if len(specs) == 1 else [specs]


def check_written(path: Any, export_format: str) -> None:
    """Raises `ValueError` if an ONNX file holds operations that no runtime supports.

    TensorFlow's converter reports unknown operations but still writes them.
    """
    if export_format != "onnx":
        return
    import onnx

    try:
        onnx.checker.check_model(str(path))
    except onnx.checker.ValidationError as error:
        os.unlink(path)
        raise ValueError(str(error)) from error


def what_else(model: keras.Model, export_format: str, error: Exception) -> str:
    """Returns the message if Keras failed: the cause, and what can be exported instead."""
    cause = str(error).strip().splitlines() or [type(error).__name__]
    has_encoder = getattr(model, "encoder", None) is not None
    alone = "write its networks alone, such as `model.encoder.export(...)`, or "
    advice = f"{alone if has_encoder else ''}save it with `model.save` "
    return (
        f"{type(model).__name__} cannot be written as {export_format!r} on "
        f"{keras.config.backend()}: it has operations that the conversion does not support. "
        f"{advice[0].upper()}{advice[1:]}and write a SavedModel under KERAS_BACKEND=tensorflow. "
        f"Cause: {cause[0][:300]}"
    )
