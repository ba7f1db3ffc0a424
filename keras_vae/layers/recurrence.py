"""A check of recurrent layers before a network is exported."""

import keras


def check_recurrence(model: keras.Model, export_format: str) -> None:
    """Raises `RuntimeError` if an exported model would silently compute wrong numbers.

    On PyTorch, Keras runs a recurrent layer as a Python loop, which an export to ONNX unrolls for
    the single length that it is traced with.

    Args:
        model: Model or network that is to be exported.
        export_format: String, the name of a format of Keras.
    """
    if (keras.config.backend(), export_format) != ("torch", "onnx"):
        return
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.RNN) and _takes_any_length(layer):
            raise RuntimeError(
                f"{type(model).__name__} cannot be written as 'onnx' on torch: its recurrent layer "
                f"{layer.name!r} takes sequences of any length, but would be exported for a single "
                "length. Save the model with `model.save`, and write a SavedModel under "
                "KERAS_BACKEND=tensorflow."
            )


def _takes_any_length(layer):
    return any(node.input_tensors[0].shape[1] is None for node in layer._inbound_nodes)
