"""Coding of counts with a Poisson or negative binomial distribution, zero-inflated or not.

The frequencies of counts follow from the ratios of neighbours, p(k + 1) / p(k), which are
mean / (k + 1) for the Poisson distribution and mean (k + r) / ((k + 1) (r + mean)) for the negative
binomial one: only + x / and no gamma function. A table starts at the most probable count, and
multiplies ratios outwards.
"""

from typing import NamedTuple

import numpy as np

from keras_vae.codecs import binary
from keras_vae.codecs.exact_tables import exp
from keras_vae.codecs.offsets import Blocks
from keras_vae.codecs.offsets import pop_offsets
from keras_vae.codecs.offsets import push_offsets
from keras_vae.codecs.offsets import settle
from keras_vae.codecs.rounding_errors import size_of
from keras_vae.codecs.stack import Stack

_FINENESS = 0.2  # log-means are rounded to this, divided by the cube root of min(mean, r)
_LEAST_MEAN, _MOST_MEAN = -25.0, 20.0  # logarithms; below, no coder distinguishes p(x) from 0
_WIDTH = 0.25  # of a cell in log r: off by half of it costs at most 0.001 nats
_LEAST_R, _MOST_R = -8.0, 20.0
_STEEPEST = 1e6  # larger min(mean, r) are clipped to this, to keep cells wider than margins
_MOST_COLUMNS = 4096  # of a table; a wider one holds intervals of counts
_TOTAL = float(1 << 30)
_CELLS = 1 << 21  # numbers of a table held at once
_RARE_BITS = 32  # for a count that no table holds


class Rounded(NamedTuple):
    """The rounded parameters that counts are coded with, each (N,) float64.

    Attributes:
        mean: The mean of the distribution to which zeros are added.
        r: The inverse dispersion; infinite for Poisson.
        zeros: The probability of the extra zeros.
    """

    mean: np.ndarray
    r: np.ndarray
    zeros: np.ndarray


class Window(NamedTuple):
    """The counts that a table covers, with 2^exponent counts in each column.

    Attributes:
        first, mode: Integers (N,), the first count, and that of the most probable column.
        columns: Integers (N,), powers of two. The second to last column is for 0 if no other column
            is for 0 alone, and the last is for all counts outside.
        exponent: Integers (N,).
        has_zero: Bools (N,), whether the second to last column is for 0.
    """

    first: np.ndarray
    mode: np.ndarray
    columns: np.ndarray
    exponent: np.ndarray
    has_zero: np.ndarray


class CountCode:
    """Codes counts, symbols (N,), given the parameters of their distributions.

    Log-means m and log r are rounded by comparing t(m) with edges, where dt/dm is the cube root of
    min(mean, r): as for logits, a number off by d costs about min(mean, r) d^2 / 2 nats.

    Args:
        has_r: Whether the distribution is negative binomial, with parameters m and log r.
        has_zeros: Whether it is zero-inflated, with the logits of extra zeros as last parameter.
        margins: Floats, one for each parameter, or empty for a reader.
    """

    def __init__(self, has_r: bool, has_zeros: bool, margins: list[float]):
        self.has_r, self.has_zeros = has_r, has_zeros
        self.margins = margins

    def clearance(self, parameters: list[np.ndarray], shift: np.ndarray) -> np.ndarray:
        """Returns the smallest distance of a parameter from an edge, in units of its margin."""
        margins = self.margins or [np.inf] * len(parameters)
        log_mean = parameters[0]
        slope, stretched = self._stretched(log_mean, self._r(parameters, shift))
        nearest = _from_edge(stretched / _FINENESS, shift) * _FINENESS / slope / margins[0]
        nearest = nearest / size_of(log_mean, "logits")
        nearest = np.where(log_mean > _MOST_MEAN + 1.0, np.inf, nearest)
        if self.has_r:
            log_r = np.clip(parameters[1], _LEAST_R, _MOST_R)
            clear = _from_edge(log_r / _WIDTH + 0.5, shift) * _WIDTH / margins[1]
            clear = clear / size_of(log_r, "logits")
            is_far = (parameters[1] < _LEAST_R - _WIDTH) | (parameters[1] > _MOST_R + _WIDTH)
            nearest = np.minimum(nearest, np.where(is_far, np.inf, clear))
        if self.has_zeros:
            nearest = np.minimum(nearest, binary.clearance(parameters[-1], shift, margins[-1]))
        return np.where(np.all(np.isfinite(parameters), axis=0), nearest, np.nan)

    def rounded(self, parameters: list[np.ndarray], shift: np.ndarray) -> Rounded:
        """Returns the rounded parameters that the counts are coded with."""
        r = self._r(parameters, shift)
        _, stretched = self._stretched(parameters[0], r)
        middle = (np.floor(stretched / _FINENESS + shift) + 0.5 - shift) * _FINENESS
        zeros = np.zeros(len(r))
        if self.has_zeros:
            pairs = binary.frequencies(parameters[-1], shift)
            zeros = pairs[:, 1] / (pairs[:, 0] + pairs[:, 1])
        return Rounded(_mean_of(np.maximum(middle, _FINENESS / 8), r), r, zeros)

    def push(
        self, stack: Stack, symbols: np.ndarray, parameters: list[np.ndarray], blocks: Blocks
    ) -> None:
        """Writes symbols; all arrays (N,), parameters in float64."""
        found = settle(
            lambda i, s: self.clearance([p[i] for p in parameters], s), len(symbols), blocks
        )
        given = self.rounded(parameters, blocks.of_positions(found, len(symbols)))
        windows = _windows(given)
        for rows, columns in reversed(_pieces(windows)):
            window, exponent = _of(windows, rows), windows.exponent[rows]
            relative = symbols[rows] - window.first
            column = relative >> exponent
            is_zero = (symbols[rows] == 0) & window.has_zero
            is_rare = ((column < 0) | (column >= columns - 2)) & ~is_zero
            _push_uniform(stack, symbols[rows][is_rare], _RARE_BITS)
            is_inside = ~is_rare & ~is_zero
            for e in np.unique(exponent[is_inside]):
                within = relative[is_inside & (exponent == e)] & ((1 << e) - 1)
                _push_uniform(stack, within, int(e))
            column = np.where(is_zero, columns - 2, np.where(is_rare, columns - 1, column))
            stack.push(column, _frequencies(_of(given, rows), window, columns))
        push_offsets(stack, found, len(symbols), blocks)

    def pop(self, stack: Stack, parameters: list[np.ndarray], blocks: Blocks) -> np.ndarray:
        """Returns the symbols that `push` wrote."""
        count = len(parameters[0])
        given = self.rounded(parameters, pop_offsets(stack, count, blocks))
        windows = _windows(given)
        symbols = np.zeros(count, "int64")
        for rows, columns in _pieces(windows):
            window, exponent = _of(windows, rows), windows.exponent[rows]
            column = stack.pop(_frequencies(_of(given, rows), window, columns)).astype("int64")
            is_rare, is_inside = column == columns - 1, column < columns - 2
            found = np.where(is_inside, window.first + (column << exponent), 0)
            for e in np.unique(exponent[is_inside])[::-1]:
                here = is_inside & (exponent == e)
                found[here] += _pop_uniform(stack, int(np.count_nonzero(here)), int(e))
            found[is_rare] = _pop_uniform(stack, int(np.count_nonzero(is_rare)), _RARE_BITS)
            symbols[rows] = found
        return symbols.astype("int32")

    def _r(self, parameters, shift):
        """Returns r in the middle of its cells, or infinity."""
        if not self.has_r:
            return np.full(len(parameters[0]), np.inf)
        cell = np.floor(np.clip(parameters[1], _LEAST_R, _MOST_R) / _WIDTH + 0.5 + shift)
        return exp((cell - shift) * _WIDTH)

    @staticmethod
    def _stretched(log_mean, r):
        """Returns dt/dm and t(m); errors of the math library count as errors of m."""
        log_mean = np.clip(log_mean, _LEAST_MEAN, _MOST_MEAN)
        log_r = np.log(np.minimum(r, _STEEPEST))
        slope = np.exp(np.minimum(log_mean, log_r) / 3)
        return slope, slope * (3 + np.maximum(log_mean - log_r, 0.0))


def _from_edge(cells, shift):
    moved = cells + shift
    return np.abs(moved - np.round(moved))


def _mean_of(stretched, r):
    """Returns the mean for t(m), using only + - x /."""
    r = np.minimum(r, _STEEPEST)
    root = _cube_root(r)
    below = stretched / 3.0
    beyond = exp(np.clip(stretched / root - 3.0, 0.0, 60.0))
    return np.where(below <= root, below * below * below, r * beyond)


def _cube_root(value):
    root = np.ldexp(1.0, np.frexp(value)[1] // 3)  # within a factor of 2 of it
    for _ in range(8):  # Newton's method
        root = root - (root - value / (root * root)) / 3.0
    return root


def _windows(given):
    """Returns the `Window` of each distribution, without very improbable counts."""
    variance = given.mean + given.mean * (given.mean / given.r)
    std = np.sqrt(variance)
    tail = np.maximum(std, 1.0 + given.mean / given.r)  # e times less probable, in the tail
    first = np.maximum(0.0, np.floor(given.mean - 12.0 * std))
    span = given.mean + 12.0 * tail + 12.0 - first
    exponent = np.maximum(0, np.frexp(span / (_MOST_COLUMNS - 3))[1]).astype("int64")
    columns = 1 << np.frexp(np.ldexp(span, -exponent) + 3.0)[1].astype("int64")
    columns = np.minimum(columns, _MOST_COLUMNS)
    likeliest = np.floor(np.maximum(0.0, given.mean - given.mean / given.r))
    mode = np.maximum(0.0, likeliest - first).astype("int64") >> exponent
    has_zero = (first > 0) | (exponent > 0)
    return Window(first.astype("int64"), mode, columns, exponent, has_zero)


def _frequencies(given, window, columns):
    """Returns the integers that counts are coded with, (N, columns), in float64."""
    width = np.ldexp(1.0, window.exponent)[:, None]
    # Between the middles of two columns, the ratio of neighbouring counts to the power of a width.
    k = window.first[:, None] + np.arange(1, columns - 2) * width - 1.0
    mean, r = given.mean[:, None], given.r[:, None]
    is_poisson = np.isinf(r)
    r = np.where(is_poisson, 1.0, r)
    of_poisson = mean / (k + 1.0)
    ratio = np.where(is_poisson, of_poisson, of_poisson * ((k + r) / (r + mean)))
    for step in range(int(window.exponent.max(initial=0))):
        ratio = ratio * np.where(window.exponent[:, None] > step, ratio, 1.0)
    places = np.arange(columns - 3)
    upwards = np.cumprod(np.where(places >= window.mode[:, None], ratio, 1.0), axis=1)
    downwards = np.where(places < window.mode[:, None], 1.0 / np.maximum(ratio, 1e-300), 1.0)
    downwards = np.cumprod(downwards[:, ::-1], axis=1)[:, ::-1]
    one = np.ones((len(mean), 1))
    mass = np.concatenate([one, upwards], axis=1) * np.concatenate([downwards, one], axis=1)
    total = np.cumsum(mass, axis=1)[:, -1:]  # in the same order on every machine
    zeros = given.zeros[:, None]
    mass = np.concatenate([mass / total * (1.0 - zeros), zeros], axis=1)
    # The first column holds only 0, or 0 and other counts, or starts above 0.
    of_first = np.where(window.first == 0, mass[:, 0] / width[:, 0], 0.0)
    moved = np.where(window.has_zero, of_first, -zeros[:, 0])
    mass[:, 0] -= moved
    mass[:, -1] += moved
    return np.concatenate([np.floor(mass * _TOTAL) + 1.0, one], axis=1)


def _pieces(windows):
    """Returns pairs of the indices of distributions and the number of their tables' columns."""
    pieces = []
    for columns in np.unique(windows.columns):
        rows = np.flatnonzero(windows.columns == columns)
        size = max(1, _CELLS // int(columns))
        pieces += [(rows[i : i + size], int(columns)) for i in range(0, len(rows), size)]
    return pieces


def _of(arrays, rows):
    return type(arrays)(*(a[rows] for a in arrays))


def _push_uniform(stack, values, num_bits):
    """Writes integers below 2^num_bits, eight bits at a time, least significant first."""
    for low in range(0, num_bits, 8):
        size = min(8, num_bits - low)
        stack.push((values >> low) & ((1 << size) - 1), np.ones(1 << size))


def _pop_uniform(stack, count, num_bits):
    values = np.zeros(count, "int64")
    for low in reversed(range(0, num_bits, 8)):
        size = min(8, num_bits - low)
        values = (values << size) + stack.pop(np.ones(1 << size), count)
    return values
