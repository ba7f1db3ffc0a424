"""Numbers that are identical on every machine: exponentials and frequencies without a libm.

IEEE 754 specifies the results of + - x / and of comparisons to the last bit, but not those of `exp`
and `log`, which differ between libraries. The numbers that determine how symbols are coded are
therefore computed here from the four operations, one at a time: NumPy runs each of them as a
separate loop, so none is fused with another.
"""

import functools
import math

import numpy as np

_LOG2_E = 1.4426950408889634
# ln 2 in two parts; the first has so few digits that its product with a small integer is exact.
_LN2_HIGH = 0.693145751953125
_LN2_LOW = 1.4286068203094172e-06
_GAUSSIAN_STEPS = 256  # per standard deviation
_GAUSSIAN_REACH = 12  # standard deviations
_GAUSSIAN_TOTAL = 1 << 30


def exp(x: np.ndarray) -> np.ndarray:
    """Returns e^x, float64, the same on every machine, to within 1e-15 of its value.

    Args:
        x: Array of numbers from -700 to 700.
    """
    x = np.asarray(x, "float64")
    exponent = np.floor(x * _LOG2_E + 0.5)
    rest = (x - exponent * _LN2_HIGH) - exponent * _LN2_LOW  # at most ln 2 / 2
    series = np.ones_like(rest)
    for n in range(14, 0, -1):  # 1 + r (1 + r / 2 (1 + r / 3 (...)))
        series = series * rest
        series = series / n
        series = series + 1.0
    return np.ldexp(series, exponent.astype("int32"))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Returns 1 / (1 + e^-x), float64, the same on every machine.

    Args:
        x: Array of numbers.
    """
    return 1.0 / (1.0 + exp(np.clip(-np.asarray(x, "float64"), -700.0, 700.0)))


def cube_root(x: np.ndarray) -> np.ndarray:
    """Returns the cube root, float64, the same on every machine.

    Args:
        x: Array of numbers from 1e-9 to 1e9.
    """
    x = np.asarray(x, "float64")
    root = np.maximum(x, 1.0)  # an upper bound, from which Newton's method descends
    for _ in range(100):
        root = root - (root - x / (root * root)) / 3.0
    return root


@functools.cache
def gaussian_weights() -> np.ndarray:
    """Returns e^(-t^2 / 2) for t = 0, 1/256, 2/256, ... 12, as integers in float64, at least 1."""
    t = np.arange(_GAUSSIAN_REACH * _GAUSSIAN_STEPS + 1) / _GAUSSIAN_STEPS
    return np.floor(exp(-0.5 * t * t) * _GAUSSIAN_TOTAL) + 1.0


def gaussian_frequencies(points: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Returns integers in proportion to the density N(mean, std^2) at points, in float64.

    Args:
        points: Array (N, K).
        mean: Array (N, 1).
        std: Array (N, 1), of at least 1e-6.

    Returns:
        (N, K), each at least 1.
    """
    t = np.abs(points - mean) / std
    index = np.minimum(t, _GAUSSIAN_REACH) * _GAUSSIAN_STEPS
    return gaussian_weights()[index.astype("int64")]


@functools.cache
def geometric_frequencies(count: int, chance: int) -> np.ndarray:
    """Returns integers in proportion to the geometric distribution, at least 1, in float64.

    Args:
        count: Integer, the number of its values.
        chance: Integer from 1 to 255, in units of 1/256: the probability that a trial is the last.
    """
    left, frequencies = 1 << 40, []
    for _ in range(count):
        frequencies.append(max(1, (left * chance) >> 24))
        left = (left * (256 - chance)) >> 8
    return np.array(frequencies, "float64")


def power_of_two(value: float) -> int:
    """Returns the largest integer e with 2^e at most `value`, from its binary digits."""
    return math.frexp(value)[1] - 1
