"""How far the outputs of a model may be from those of another machine."""

from collections.abc import Callable
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_vae.typing import Array

# The largest differences between the three backends, batches of 1 and 128, and 1 and 2 threads, of
# vae_mnist, hierarchical_vae_mnist, pixelcnn_mnist, vae_frey_faces and the prior of vqvae_cifar10,
# on 64 to 256 examples. Locations are in units of the data, and differences of log-variances are
# divided by 1 + |log_var|. Those of a whole
# chain of levels, z included, differ by up to 4e-5 in their logits.
LARGEST_DIFFERENCE = {
    "mean": 5.5e-6,
    "log_var": 2.7e-6,
    "logits": 2.1e-5,
    "location": 7.2e-7,
    "log_scale": 4.8e-6,
}
_TIMES_MEASURED = 10.0
_TIMES_PROBED = 14.0
_TRIALS = 4
_EXAMPLES = 32
_ULP = 2.0**-24
_LARGE = 16.0  # outputs beyond have no edges near


def margins(
    model: keras.Model, kinds: Sequence[str], function: Callable, arrays: Sequence[Array]
) -> list[float]:
    """Returns how far each output must be from an edge.

    The model's weights are moved by a relative 2^-24, up or down, half the distance between
    neighbouring float32 numbers. What that does to an output is of the size of the rounding errors
    on its way, whatever the order of the operations: it tells a sensitive model from others.

    Args:
        model: `keras.Model`.
        kinds: What each output is, a key of `LARGEST_DIFFERENCE`.
        function: Function of a batch of tensors that returns a tuple of tensors.
        arrays: Arrays (N, ...) of examples, of which a few are used.

    Returns:
        List of floats, one for each output.
    """
    tensors = [ops.convert_to_tensor(a[:_EXAMPLES]) for a in arrays]
    expected = _outputs(model, function, tensors)
    largest = np.zeros(len(expected))
    for trial in range(_TRIALS):
        with keras.StatelessScope(_moved(model.variables, np.random.default_rng(trial))):
            found = _outputs(model, function, tensors)
        for i, (kind, a, b) in enumerate(zip(kinds, expected, found, strict=True)):
            difference = np.abs(a - b) / (1.0 + np.abs(a) if kind == "log_var" else 1.0)
            near = np.abs(a) < _LARGE
            largest[i] = max(largest[i], np.max(difference, where=near, initial=0.0))
    return [
        max(_TIMES_PROBED * float(value), _TIMES_MEASURED * LARGEST_DIFFERENCE[kind])
        for kind, value in zip(kinds, largest, strict=True)
    ]


def _outputs(model, function, tensors):
    with model.reading():
        return [ops.convert_to_numpy(t).astype("float64") for t in function(*tensors)]


def _moved(variables, rng):
    """Returns pairs of each variable of float32 numbers and its values, moved."""
    pairs = []
    for variable in variables:
        if str(variable.dtype) == "float32":
            values = ops.convert_to_numpy(variable.value)
            signs = rng.choice(np.array([-_ULP, _ULP]), values.shape)
            moved = (values * (1.0 + signs)).astype("float32")
            pairs.append((variable, ops.convert_to_tensor(moved)))
    return pairs
