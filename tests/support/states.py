"""All that a training run continues from, as NumPy arrays."""

import keras
import numpy as np


def state(model):
    """Returns `{name: array}`: weights, optimizer and noise of a compiled model."""
    return {k: keras.ops.convert_to_numpy(v) for k, v in _variables(model).items()}


def assign_state(model, arrays):
    """Sets a compiled model back to what `state` returned."""
    for name, variable in _variables(model).items():
        variable.assign(arrays[name])


def largest_difference(a, b):
    """Returns the largest absolute difference of two states."""
    assert a.keys() == b.keys()
    return max(np.max(np.abs(a[k].astype("float64") - b[k]), initial=0.0) for k in a)


class Snapshots(keras.callbacks.Callback):
    """Keeps the state after every epoch in `states`."""

    def __init__(self):
        super().__init__()
        self.states = []

    def on_epoch_end(self, epoch, logs=None):
        self.states.append(state(self.model))


def _variables(model):
    return {
        **{f"weight_{i}": v for i, v in enumerate(model.weights)},
        **{f"optimizer_{i}": v for i, v in enumerate(model.optimizer.variables)},
        "training_stream": model.noise.training_stream.state,
        "evaluation_stream": model.noise.evaluation_stream.state,
    }
