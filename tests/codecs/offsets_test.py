import numpy as np
import pytest

pytest.importorskip("constriction")

from keras_vae.codecs import offsets
from keras_vae.codecs.stack import Stack

pytestmark = pytest.mark.one_backend

RNG = np.random.default_rng(0)
VALUES = RNG.uniform(0, 100, size=10_000)
MARGIN = 1e-3


def clearance(index, shift):
    """Distances to the nearest integer, in margins."""
    shifted = VALUES[index] + shift
    return np.abs(shifted - np.round(shifted)) / MARGIN


def blocks():
    return offsets.blocks_for(clearance(np.arange(len(VALUES)), 0.0))


def test_no_number_is_left_near_an_edge():
    settled = offsets.settle(clearance, len(VALUES), blocks())
    shift = blocks().of_positions(settled, len(VALUES))
    assert clearance(np.arange(len(VALUES)), np.zeros(len(VALUES))).min() < 1
    assert clearance(np.arange(len(VALUES)), shift).min() >= 1


def test_blocks_have_one_or_two_numbers_near_an_edge():
    # Of uniform numbers, 2 in 1,000 are within the margin, so that 1,024 have 2.05 of them.
    assert blocks().exponent == 10
    assert blocks().chance / 256 == pytest.approx(np.exp(-2e-3 * 1024), abs=0.05)


def test_offsets_cost_about_two_bits_a_number_near_an_edge_and_come_back():
    settled, stack = offsets.settle(clearance, len(VALUES), blocks()), Stack()
    offsets.push_offsets(stack, settled, blocks())
    written, num_initial = stack.words()
    assert 32 * (len(written) - num_initial) < 3 * (2e-3 * len(VALUES)) + 64
    shift = offsets.pop_offsets(Stack(written, num_initial), len(VALUES), blocks())
    np.testing.assert_array_equal(shift, blocks().of_positions(settled, len(VALUES)))


def test_numbers_that_no_offset_clears():
    with pytest.raises(ValueError, match="differ less"):
        offsets.settle(lambda i, s: np.full(len(i), np.nan), 10, offsets.Blocks(2, 128))
