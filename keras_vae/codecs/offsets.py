"""Offsets of grids, with which a writer keeps every number away from the edges between cells.

A reader on another machine computes each number slightly differently, and must still find it in the
same cell. So the writer tries offsets for a block of numbers until none of them lies within its
margin of an edge, and writes the offset's index. The index of the first suitable offset is
geometrically distributed, and is coded accordingly. The longer a block is, the fewer bits a number
near an edge costs (1.9 if three of a block are near one), and the more offsets are tried.
"""

import contextlib
import contextvars
import math
from collections.abc import Callable
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from keras_vae.codecs.exact_tables import exp
from keras_vae.codecs.exact_tables import geometric_frequencies
from keras_vae.codecs.stack import Stack

NUM_OFFSETS = 512
# Each shift lies far from those before it, and so is a new chance for a number near an edge:
# 317 / 512 is close to the golden ratio.
_SHIFTS = (np.arange(NUM_OFFSETS + 1) * 317 % NUM_OFFSETS) / NUM_OFFSETS
_NEAR_IN_BLOCK = 3.3  # largest intended number of elements near an edge in a block
# Offsets are independent only if they move numbers by at least two margins, which limits their
# number. Blocks are so short that the probability that none is suitable is e^-20.
_LOG_OF_FAILURE = 20.0
_MOST_IN_BLOCK = 65535


# The factor by which blocks are shorter than the sample suggests.
_SHORTER: contextvars.ContextVar[int] = contextvars.ContextVar("keras_vae_shorter", default=1)

_UNSETTLED = (
    "This model cannot write files that another machine can read: its outputs depend too much on "
    "the order of additions in float32, or are not finite. Expected: outputs that differ by less "
    "than the cells they are rounded to."
)


class UnsettledError(ValueError):
    """Raised if no offset is suitable for a block. Shorter blocks may have one."""


@contextlib.contextmanager
def shorter_blocks(times: int) -> Iterator[None]:
    """Within this context `blocks_for` returns blocks shorter by a factor, for data that locally
    have far more numbers near an edge than on average."""
    token = _SHORTER.set(times)
    try:
        yield
    finally:
        _SHORTER.reset(token)


class Blocks(NamedTuple):
    """How positions are grouped.

    Attributes:
        size: Integer, the maximum number of positions that share an offset.
        near: Integer from 0 to 255, 64 times the expected number of these near an edge.
    """

    size: int
    near: int

    def count(self, num_positions: int) -> int:
        """Returns the number of blocks."""
        return -(-num_positions // self.size)

    def length(self, num_positions: int) -> int:
        """Returns the number of positions of each block except the last."""
        return -(-num_positions // max(1, self.count(num_positions)))

    def chance(self, num_positions: int) -> int:
        """Returns the probability that an offset is suitable, from 1 to 255, in 1/256."""
        near = self.near * self.length(num_positions) / (64.0 * self.size)
        return int(np.clip(np.floor(256.0 * exp(np.array(-near)) + 0.5), 1, 255))

    def of_positions(self, offsets: np.ndarray, num_positions: int) -> np.ndarray:
        """Returns the shift of every position, (N,) float64 in [0, 1), given offsets of blocks."""
        return np.repeat(_SHIFTS[offsets], self.length(num_positions))[:num_positions]


def blocks_for(clearance: np.ndarray, num_moves: float = NUM_OFFSETS) -> Blocks:
    """Returns `Blocks` for numbers like these.

    Args:
        clearance: (N,), the distance of each position from the nearest edge, in units of the
            margin.
        num_moves: Number of offsets that differ by at least two margins.
    """
    # Counting distances up to several margins estimates the number within one more precisely.
    share = np.count_nonzero(clearance < 4) / (4 * max(1, len(clearance)))
    num_moves = min(num_moves, NUM_OFFSETS, 1 / max(share, 1e-9))
    near = min(_NEAR_IN_BLOCK, max(share, math.log(num_moves / _LOG_OF_FAILURE)))
    size = int(max(1, min(_MOST_IN_BLOCK, near / max(share, 1e-9)) / _SHORTER.get()))
    return Blocks(size, round(64 * min(_NEAR_IN_BLOCK, share * size)))


def settle(clearance: Callable, num_positions: int, blocks: Blocks) -> np.ndarray:
    """Returns the first offset of each block at which all its positions are clear of edges.

    Args:
        clearance: Function of indices of positions (M,) and their shifts (M,) that returns their
            distances from the nearest edge, in units of the margin, (M,).
        num_positions: Integer, N.
        blocks: `Blocks`.

    Raises:
        UnsettledError: If no offset is suitable for a block.
    """
    length = blocks.length(num_positions)
    offsets = np.zeros(blocks.count(num_positions), "int32")
    open_blocks = np.arange(len(offsets))
    for offset in range(NUM_OFFSETS):
        members = (open_blocks[:, None] * length + np.arange(length)).ravel()
        members = members[members < num_positions]
        is_clear = clearance(members, np.full(len(members), _SHIFTS[offset])) >= 1.0
        open_blocks = np.unique(members[~is_clear] // length)
        offsets[open_blocks] = offset + 1
        if not len(open_blocks):
            return offsets
    raise UnsettledError(_UNSETTLED)


def settle_intervals(
    positions: np.ndarray, first: np.ndarray, last: np.ndarray, num_positions: int, blocks: Blocks
) -> np.ndarray:
    """Returns what `settle` does, given which shifts bring a number near an edge.

    Args:
        positions: Integers (M,), the positions of numbers that some shifts bring near an edge.
        first, last: Integers (M,), the smallest and the largest such shift, in 1 / `NUM_OFFSETS`.
        num_positions: Integer, N.
        blocks: `Blocks`.

    Raises:
        UnsettledError: If no offset is suitable for a block.
    """
    shape = blocks.count(num_positions), NUM_OFFSETS + 1
    start = positions // blocks.length(num_positions) * shape[1]
    inside = (last >= np.maximum(first, 0)) & (first < NUM_OFFSETS)
    begun = start[inside] + np.maximum(first[inside], 0)
    ended = start[inside] + np.minimum(last[inside] + 1, NUM_OFFSETS)
    size = shape[0] * shape[1]
    change = np.bincount(begun, minlength=size) - np.bincount(ended, minlength=size)
    near = np.cumsum(change.reshape(shape), axis=1)
    is_clear = near[:, (_SHIFTS[:NUM_OFFSETS] * NUM_OFFSETS).astype("int64")] == 0
    if not np.all(np.any(is_clear, axis=1)):
        raise UnsettledError(_UNSETTLED)
    return np.argmax(is_clear, axis=1).astype("int32")


def push_offsets(stack: Stack, offsets: np.ndarray, num_positions: int, blocks: Blocks) -> None:
    """Writes the offsets of blocks."""
    stack.push(offsets, geometric_frequencies(NUM_OFFSETS, blocks.chance(num_positions)))


def pop_offsets(stack: Stack, num_positions: int, blocks: Blocks) -> np.ndarray:
    """Reads offsets and returns the shift of every position, (N,), as `of_positions` does."""
    table = geometric_frequencies(NUM_OFFSETS, blocks.chance(num_positions))
    return blocks.of_positions(stack.pop(table, blocks.count(num_positions)), num_positions)
