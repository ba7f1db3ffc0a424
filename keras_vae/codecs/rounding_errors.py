"""How far the outputs of a model may be from those of another machine."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.typing import Array

# Differences of outputs, and so margins, are proportional to 1 + |output| / scale.
SCALES = {"mean": 1.0, "log_var": 1.0, "logits": 8.0, "location": 8.0, "log_scale": 1.0}
# The largest difference measured between machines, in units of the root mean square effect of
# perturbing the weights (`probed`), rounded up: TensorFlow, JAX and PyTorch, with batches of 128
# and of 1, on 192 training examples of six presets; see benchmarks/codec_margins.py.
LARGEST_RATIO = {
    "mean": 13.5,
    "log_var": 10.5,
    "logits": 12.5,
    "location": 12.0,
    "log_scale": 14.0,
}
# For models with convolutions, for which libraries also have less accurate algorithms.
LARGEST_RATIO_OF_CONVOLUTIONS = {**LARGEST_RATIO, "mean": 23.0, "log_var": 34.0, "logits": 16.0}
_CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)
# Dimensions of latents differ in the amount of computation behind them, from none to that of the
# whole network; elements of data hardly do.
_BY_DIMENSION = ("mean", "log_var")
_LEAST_OF_DIMENSION = 0.25  # of the root mean square over all dimensions
_TIMES_MEASURED = 10.0
_LEAST = 2.0**-23  # a difference of all outputs, over 1 + |output| / scale, before the factor of 10
_TRIALS = 4
_EXAMPLES = 32
_ULP = 2.0**-24
_LARGE = 16.0  # larger outputs have no edges nearby


def margins(
    model: keras.Model,
    kinds: Sequence[str],
    function: Callable,
    arrays: Sequence[Array],
    compared: Callable = list,
) -> list[Any]:
    """Returns how far each output must be from an edge, divided by 1 + |output| / scale.

    This is at least ten times the largest expected difference between machines.

    Args:
        model: `keras.Model`.
        kinds: The type of each output, a key of `SCALES`.
        function: Function of a batch of tensors that returns a tuple of tensors.
        arrays: Arrays (N, ...) of examples, of which a few are used.
        compared: Function from the outputs, as arrays, to arrays of the types in `kinds`.

    Returns:
        List with an array (D,) for means and log-variances (N, D), and a float for other outputs.
    """
    ratios = LARGEST_RATIO_OF_CONVOLUTIONS if convolves(model) else LARGEST_RATIO
    found = []
    for kind, (rms, largest) in zip(
        kinds, probed(model, kinds, function, arrays, compared), strict=True
    ):
        expected = np.maximum(np.maximum(ratios[kind] * rms, largest), _LEAST)
        found.append(_TIMES_MEASURED * (expected if expected.ndim else float(expected)))
    return found


def convolves(model: keras.Model) -> bool:
    """Returns whether a layer of a model is a convolution, in any number of dimensions."""
    if any(isinstance(layer, _CONVOLUTIONS) for layer in model._flatten_layers()):
        return True
    return any(len(v.shape) == 4 for v in model.variables)  # kernels of layers of one's own


def probed(
    model: keras.Model,
    kinds: Sequence[str],
    function: Callable,
    arrays: Sequence[Array],
    compared: Callable = list,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns the effect of perturbing the weights of a model on its outputs.

    The weights are moved up or down by a relative 2^-24, half the distance between neighbouring
    float32 numbers. The effect on an output is of the size of its accumulated rounding errors,
    whatever the order of the operations, and so shows how sensitive a model is.

    Args:
        model, kinds, function, arrays, compared: See `margins`.

    Returns:
        List of pairs of arrays, the root mean square and the largest difference of each output.
    """
    tensors = [ops.convert_to_tensor(a[:_EXAMPLES]) for a in arrays]
    expected = compared(_outputs(model, function, tensors))
    differences: list[list] = [[] for _ in kinds]
    for trial in range(_TRIALS):
        with keras.StatelessScope(_moved(model.variables, np.random.default_rng(trial))):
            found = compared(_outputs(model, function, tensors))
        for kept, kind, a, b in zip(differences, kinds, expected, found, strict=True):
            difference = np.abs(a - b) / size_of(a, kind)
            kept.append(np.where(np.abs(a) < _LARGE, difference, np.nan))
    return [_measured(kind, np.stack(d)) for kind, d in zip(kinds, differences, strict=True)]


def _measured(kind, differences):
    """Returns the root mean square and the largest of differences (trials, N, ...)."""
    rms, largest = _root_mean_square(differences, None), _largest(differences, None)
    if kind not in _BY_DIMENSION:
        return rms, largest
    of_each = _root_mean_square(differences, (0, 1))
    return np.maximum(of_each, _LEAST_OF_DIMENSION * rms), _largest(differences, (0, 1))


def _root_mean_square(d, axis):
    """Returns the root mean square, ignoring NaN; 0 for an empty array."""
    is_number = ~np.isnan(d)
    squares = np.sum(np.where(is_number, d * d, 0.0), axis=axis)
    return np.sqrt(squares / np.maximum(1, np.sum(is_number, axis=axis)))


def _largest(d, axis):
    return np.max(np.where(np.isnan(d), 0.0, d), axis=axis)


def size_of(output: np.ndarray, kind: str) -> np.ndarray:
    """Returns 1 + |output| / scale, to which differences of outputs are proportional."""
    return 1.0 + np.abs(output) / SCALES[kind]


def _outputs(model, function, tensors):
    with model.reading():
        return [ops.convert_to_numpy(t).astype("float64") for t in function(*tensors)]


def _moved(variables, rng):
    """Returns pairs of each float32 variable and its perturbed values."""
    pairs = []
    for variable in variables:
        if str(variable.dtype) == "float32":
            values = ops.convert_to_numpy(variable.value)
            signs = rng.choice(np.array([-_ULP, _ULP]), values.shape)
            moved = (values * (1.0 + signs)).astype("float32")
            pairs.append((variable, ops.convert_to_tensor(moved)))
    return pairs
