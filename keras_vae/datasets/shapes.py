"""Drawn shapes: pictures with known factors of variation."""

import math

import numpy as np

from keras_vae.checks import check_count
from keras_vae.typing import Array

# Factor -> number of its values, in the order of the columns of `shape_factors`.
FACTORS = {"shape": 3, "size": 4, "angle": 8, "across": 10, "down": 10}
NUM_SHAPES = math.prod(FACTORS.values())
_SIDE = 32  # pixels
_SMALLEST, _LARGEST = 0.3, 0.5  # radii; the picture goes from -1 to 1
_FARTHEST = 0.42  # from the centre of the picture to that of the shape


def shapes(height: int = _SIDE, width: int = _SIDE) -> tuple[np.ndarray, np.ndarray]:
    """Draws every combination of shape, size, angle and place once, white on black.

    The shapes are a square, an ellipse and a heart, in 4 sizes, at 8 angles within a quarter of a
    turn, and at 10 x 10 positions. `load("shapes")` divides them into a training and a test part.

    Args:
        height, width: Positive integers, in pixels.

    Returns:
        `(x, y)`: uint8 array (9600, height, width) of 0 and 1, and int32 array (9600,) of the
        index of each combination, from which `shape_factors` computes the factors.

    Raises:
        ValueError: If a size is not a positive integer.

    Reference:
        - [dSprites](https://github.com/google-deepmind/dsprites-dataset), which has the same
          factors in finer steps
    """
    height, width = check_count("height", height), check_count("width", width)
    y = np.arange(NUM_SHAPES, dtype="int32")
    return np.stack([_drawn(factors, height, width) for factors in shape_factors(y)]), y


def shape_factors(y: Array) -> np.ndarray:
    """Returns the true factors of drawn shapes.

    Args:
        y: Integer array (N,), the indices of combinations, as returned by `shapes` and
            `load("shapes")`.

    Returns:
        Int array (N, 5): shape (0 to 2), size (0 to 3), angle (0 to 7), position from left to right
        (0 to 9), position from top to bottom (0 to 9).

    Raises:
        ValueError: If `y` holds other values than indices of combinations.

    Example:

    ```python
    test = keras_vae.datasets.load("shapes").test
    factors = keras_vae.datasets.shape_factors(test.y)
    z = keras.ops.convert_to_numpy(model.encode(test.x).mean)
    keras_vae.evaluation.mutual_information_gap(z, factors)
    ```
    """
    y = np.asarray(y)
    is_integer = np.issubdtype(y.dtype, np.integer)
    if not is_integer or y.ndim != 1 or (y.size and not (y.min() >= 0 and y.max() < NUM_SHAPES)):
        raise ValueError(
            f"`y` must be integers (N,) from 0 to {NUM_SHAPES - 1}, the numbers of drawn shapes. "
            f'Received: shape {y.shape}, {y.dtype}. Take the `y` of load("shapes").'
        )
    return np.stack(np.unravel_index(y, tuple(FACTORS.values())), axis=1)


def _drawn(factors, height, width):
    shape, size, angle, across, down = factors
    rows, columns = (2 * (np.arange(n) + 0.5) / n - 1 for n in (height, width))
    centre = [_FARTHEST * (2 * place / (FACTORS["across"] - 1) - 1) for place in (across, down)]
    radius = _SMALLEST + (_LARGEST - _SMALLEST) * size / (FACTORS["size"] - 1)
    turn = math.pi / 2 * angle / FACTORS["angle"]
    right, below = (columns - centre[0]) / radius, ((rows - centre[1]) / radius)[:, None]
    u = math.cos(turn) * right + math.sin(turn) * below
    v = math.cos(turn) * below - math.sin(turn) * right
    if shape == 0:
        is_inside = np.maximum(np.abs(u), np.abs(v)) < 0.8
    elif shape == 1:
        is_inside = u**2 + (v / 0.55) ** 2 < 1
    else:
        u, up = 1.15 * u, 0.15 - 1.15 * v
        is_inside = (u**2 + up**2 - 1) ** 3 < u**2 * up**3
    return is_inside.astype("uint8")
