"""Coding of symbols with logits: binary ones, and others by a tree of binary decisions."""

import functools

import numpy as np

from keras_vae.codecs.exact_tables import cube_root
from keras_vae.codecs.exact_tables import sigmoid
from keras_vae.codecs.offsets import NUM_OFFSETS
from keras_vae.codecs.offsets import Blocks
from keras_vae.codecs.offsets import blocks_for
from keras_vae.codecs.offsets import pop_offsets
from keras_vae.codecs.offsets import push_offsets
from keras_vae.codecs.offsets import settle_intervals
from keras_vae.codecs.rounding_errors import size_of
from keras_vae.codecs.stack import Stack

_FINENESS = 0.17  # cells in logits are this wide, divided by the cube root of p (1 - p)
_WIDEST = 4.0
_LARGEST = 15.0  # larger logits are clipped to this: the rarer value then costs 22 bits
_SHIFT = 0.25  # how far the largest offset moves the logits
_TOTAL = 1 << 22
_LEAST_LOG_PROB = -60.0


@functools.cache
def edges() -> np.ndarray:
    """Returns the edges between cells of logits, symmetric about 0.

    A logit that is off by d costs p (1 - p) d^2 / 2 nats, and each edge costs in proportion to the
    probability that a number is near it. The sum is smallest if the width grows as the cube root of
    1 / (p (1 - p)).
    """
    found = [0.0]
    while found[-1] < _LARGEST:
        width = _width(found[-1])
        width = _width(found[-1] + width / 2)
        found.append(found[-1] + width)
    upper = np.array(found)
    return np.concatenate([-upper[:0:-1], upper])


@functools.cache
def tables() -> np.ndarray:
    """Returns the frequencies of 0 and 1 at every offset of every cell, (offsets, cells, 2)."""
    inner = edges()
    outer = (inner[-1] - inner[-2]) / 2
    middle = np.concatenate([[inner[0] - outer], (inner[1:] + inner[:-1]) / 2, [inner[-1] + outer]])
    shift = np.arange(NUM_OFFSETS) / NUM_OFFSETS * _SHIFT
    ones = np.floor(_TOTAL * sigmoid(middle - shift[:, None]) + 0.5)
    ones = np.clip(ones, 1, _TOTAL - 1)
    return np.stack([_TOTAL - ones, ones], axis=2)


def clearance(logits: np.ndarray, shift: np.ndarray, margin: float) -> np.ndarray:
    """Returns the distances from the nearest edge, in units of the margin."""
    shifted = logits + shift * _SHIFT
    lines = edges()
    index = np.searchsorted(lines, shifted)
    above = np.abs(lines[np.minimum(index, len(lines) - 1)] - shifted)
    below = np.abs(lines[np.maximum(index - 1, 0)] - shifted)
    return np.minimum(above, below) / (margin * size_of(logits, "logits"))


def blocks_of(logits: np.ndarray, margin: float) -> Blocks:
    """Returns the blocks that suit logits like these."""
    near = clearance(logits, np.zeros(len(logits)), margin)
    return blocks_for(near, _SHIFT / (2 * margin))


def settled(logits: np.ndarray, margin: float, blocks: Blocks) -> np.ndarray:
    """Returns the offsets of blocks at which all logits (N,) are clear of edges."""
    reach = margin * size_of(logits, "logits")
    lines, step = edges(), _SHIFT / NUM_OFFSETS
    next_edge = np.searchsorted(lines, logits - reach)
    positions, first, last = [], [], []
    for i in range(2):  # no more can be within reach
        edge = lines[np.minimum(next_edge + i, len(lines) - 1)]
        near = np.flatnonzero(~(edge > logits + reach + _SHIFT))
        distance, half = (edge - logits)[near] / step, reach[near] / step
        if not np.all(np.isfinite(distance)):
            distance, half = np.zeros(len(near)), np.full(len(near), float(NUM_OFFSETS))
        positions.append(near)
        first.append(np.clip(np.ceil(distance - half), -1, NUM_OFFSETS).astype("int64"))
        last.append(np.clip(np.floor(distance + half), -1, NUM_OFFSETS).astype("int64"))
    where, least, most = (np.concatenate(parts) for parts in (positions, first, last))
    return settle_intervals(where, least, most, len(logits), blocks)


def frequencies(logits: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Returns the frequencies of 0 and 1, (N, 2) float64, for logits (N,) in float64."""
    offset = np.asarray(shift * NUM_OFFSETS).astype("int64")
    return tables()[offset, np.searchsorted(edges(), logits + shift * _SHIFT)]


def push_binary(
    stack: Stack, symbols: np.ndarray, logits: np.ndarray, margin: float, blocks: Blocks
) -> None:
    """Writes symbols 0 and 1, (N,), with logits (N,) in float64."""
    found = settled(logits, margin, blocks)
    shift = blocks.of_positions(found, len(logits))
    stack.push(symbols, frequencies(logits, shift))
    push_offsets(stack, found, len(logits), blocks)


def pop_binary(stack: Stack, logits: np.ndarray, blocks: Blocks) -> np.ndarray:
    """Returns the symbols that `push_binary` wrote."""
    shift = pop_offsets(stack, len(logits), blocks)
    return stack.pop(frequencies(logits, shift))


def _width(logit):
    """Returns the width of a cell at a logit, using only + - x /, as files depend on it."""
    p = float(sigmoid(logit))
    return min(_WIDEST, _FINENESS / float(cube_root(p * (1.0 - p))))


def num_decisions(num_classes: int) -> int:
    """Returns the number of binary decisions that distinguish `num_classes` values."""
    return max(1, (num_classes - 1).bit_length())


class DecisionTree:
    """The logits of the decisions that lead to an integer, most significant bit first.

    Each decision compares the probabilities of two halves of the remaining values, so only log2 K
    numbers are rounded for each symbol instead of K.

    Args:
        logits: (N, K), unnormalised log-probabilities.
    """

    def __init__(self, logits: np.ndarray):
        logits = np.asarray(logits, "float64")
        num_classes = logits.shape[1]
        self.num_decisions = num_decisions(num_classes)
        relative = logits - logits.max(axis=1, keepdims=True)
        self._of_pair = relative[:, 1] - relative[:, 0] if num_classes == 2 else None
        mass = np.exp(np.maximum(relative, _LEAST_LOG_PROB))
        padded = np.full((len(logits), 1 << self.num_decisions), 1e-300)
        padded[:, :num_classes] = mass
        self._masses = [padded]
        while self._masses[0].shape[1] > 2:
            self._masses.insert(0, self._masses[0].reshape(len(logits), -1, 2).sum(axis=2))

    def logits_at(self, depth: int, prefix: np.ndarray) -> np.ndarray:
        """Returns log p(1) - log p(0) of a decision, (N,), given those before it.

        Args:
            depth: Integer, the number of previous decisions.
            prefix: Integers (N,), the numbers whose binary digits are the previous decisions.
        """
        if self._of_pair is not None:
            return self._of_pair
        rows, masses = np.arange(len(prefix)), self._masses[depth]
        return np.log(masses[rows, 2 * prefix + 1]) - np.log(masses[rows, 2 * prefix])

    def path(self, symbols: np.ndarray) -> np.ndarray:
        """Returns the logits of all decisions that lead to symbols (N,), (decisions, N)."""
        depths = range(self.num_decisions)
        return np.stack([self.logits_at(d, self.prefix(symbols, d)) for d in depths])

    def prefix(self, symbols: np.ndarray, depth: int) -> np.ndarray:
        """Returns the first `depth` binary digits of symbols, as numbers."""
        return symbols >> (self.num_decisions - depth)


def digits(symbols: np.ndarray, count: int) -> np.ndarray:
    """Returns the binary digits of integers (N,), (count, N), most significant first."""
    return (symbols[None] >> np.arange(count)[::-1, None]) & 1
