"""Offsets of grids, by which a writer keeps every number away from the edges between cells.

A reader on another machine computes each number a little differently, and must still find it in the
same cell. So the writer tries one offset after another for a block of numbers until none of them
lies within its margin of an edge, and writes which one it was. The index of the first that will do
is geometrically distributed, and is coded so. The longer a block, the fewer bits a number near an
edge costs, 2 where two or three of a block are near one, and the more offsets are tried.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from keras_vae.codecs.exact_tables import geometric_frequencies
from keras_vae.codecs.stack import Stack

NUM_OFFSETS = 512
_NEAR_IN_BLOCK = 2.5  # numbers near an edge that a block is meant to have


class Blocks(NamedTuple):
    """How positions are grouped.

    Attributes:
        exponent: Integer; 2^exponent positions share an offset.
        chance: Integer from 1 to 255, of 256: the chance that an offset will do.
    """

    exponent: int
    chance: int

    def count(self, num_positions: int) -> int:
        """Returns the number of blocks."""
        return -(-num_positions >> self.exponent)

    def of_positions(self, offsets: np.ndarray, num_positions: int) -> np.ndarray:
        """Returns the shift of every position, (N,) float64 in [0, 1), of offsets of blocks."""
        return np.repeat(offsets, 1 << self.exponent)[:num_positions] / NUM_OFFSETS


def blocks_for(clearance: np.ndarray) -> Blocks:
    """Returns `Blocks` for numbers like these.

    Args:
        clearance: (N,), the distance of each position from the nearest edge, in margins.
    """
    # Distances up to several margins say how many are within one, and say it more exactly.
    share = np.count_nonzero(clearance < 4) / (4 * len(clearance))
    ideal = _NEAR_IN_BLOCK / max(share, _NEAR_IN_BLOCK / (1 << 16))
    exponent = int(min(16, max(0, math.floor(math.log2(ideal)))))
    chance = math.exp(-share * 2**exponent)
    return Blocks(exponent, int(min(255, max(1, round(256 * chance)))))


def settle(clearance: Callable, num_positions: int, blocks: Blocks) -> np.ndarray:
    """Returns the first offset of each block at which all its positions are clear of edges.

    Args:
        clearance: Function of indices of positions (M,) and their shifts (M,) that returns their
            distances from the nearest edge, in margins, (M,).
        num_positions: Integer, N.
        blocks: `Blocks`.

    Raises:
        ValueError: If no offset will do for a block.
    """
    size = 1 << blocks.exponent
    offsets = np.zeros(blocks.count(num_positions), "int32")
    open_blocks = np.arange(len(offsets))
    for offset in range(NUM_OFFSETS):
        members = (open_blocks[:, None] * size + np.arange(size)).ravel()
        members = members[members < num_positions]
        is_clear = clearance(members, np.full(len(members), offset / NUM_OFFSETS)) >= 1.0
        open_blocks = np.unique(members[~is_clear] >> blocks.exponent)
        offsets[open_blocks] = offset + 1
        if not len(open_blocks):
            return offsets
    raise ValueError(
        "This model cannot write files that another machine reads: its outputs depend too much on "
        "the order of additions in float32, or are not finite. Expected: outputs that differ less "
        "than the cells they are rounded to."
    )


def push_offsets(stack: Stack, offsets: np.ndarray, blocks: Blocks) -> None:
    """Writes the offsets of blocks."""
    stack.push(offsets, geometric_frequencies(NUM_OFFSETS, blocks.chance))


def pop_offsets(stack: Stack, num_positions: int, blocks: Blocks) -> np.ndarray:
    """Returns the shift of every position, (N,), as `of_positions` does, of offsets read."""
    table = geometric_frequencies(NUM_OFFSETS, blocks.chance)
    return blocks.of_positions(stack.pop(table, blocks.count(num_positions)), num_positions)
