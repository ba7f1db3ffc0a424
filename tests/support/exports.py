"""Exports models and runs what was written without Keras; docs/deploy_matrix.py uses it too."""

from pathlib import Path

import numpy as np

NEEDED = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "tf_saved_model": ("tensorflow",)}


def export(model, folder, export_format):
    """Exports a model into a folder and returns the path."""
    path = str(Path(folder) / ("model.onnx" if export_format == "onnx" else "model"))
    model.export(path, format=export_format, verbose=False)
    return path


def outputs(path, export_format, *arrays):
    """Returns the list of what an exported model gives for arrays, in the order of its inputs."""
    if export_format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path)
        given = zip(session.get_inputs(), arrays, strict=True)
        return session.run(None, {node.name: array for node, array in given})
    import tensorflow

    loaded = tensorflow.saved_model.load(path)
    tensors = [tensorflow.constant(array) for array in arrays]
    found = loaded.serve(tensors if len(tensors) > 1 else tensors[0])
    return [np.asarray(array) for array in tensorflow.nest.flatten(found)]
