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


def test_blocks_have_three_numbers_near_an_edge():
    # Of uniform numbers, 2 in 1,000 are within the margin.
    assert blocks().size == pytest.approx(3.3 / 2e-3, rel=0.1)
    assert blocks().near == pytest.approx(64 * 3.3, rel=0.05)


def test_blocks_of_few_positions_are_of_one_length():
    size = blocks().size
    assert blocks().count(size + 2) == 2
    assert blocks().length(size + 2) == size // 2 + 1
    half = blocks().chance(2 * (size // 2 + 1)) / 256
    assert half == pytest.approx(np.exp(-3.3 / 2), abs=0.02)
    assert offsets.Blocks(100, 0).chance(1000) == 255


def test_where_few_offsets_differ_blocks_are_shorter():
    everything = clearance(np.arange(len(VALUES)), 0.0)
    found = offsets.blocks_for(everything, num_moves=60)
    assert found.size < blocks().size / 2


def test_known_intervals_settle_as_trying_does():
    tried = offsets.settle(clearance, len(VALUES), blocks())
    distance = (np.ceil(VALUES) - VALUES) * offsets.NUM_OFFSETS
    half = MARGIN * offsets.NUM_OFFSETS
    positions = np.tile(np.arange(len(VALUES)), 2)
    around = np.concatenate([distance, distance - offsets.NUM_OFFSETS])
    first = np.ceil(around - half).astype("int64")
    last = np.floor(around + half).astype("int64")
    found = offsets.settle_intervals(positions, first, last, len(VALUES), blocks())
    np.testing.assert_array_equal(found, tried)
    every = np.zeros(10, "int64")
    with pytest.raises(ValueError, match="differ by less"):
        offsets.settle_intervals(np.arange(10), every, every + 511, 10, blocks())


def test_offsets_cost_about_two_bits_a_number_near_an_edge_and_come_back():
    settled, stack = offsets.settle(clearance, len(VALUES), blocks()), Stack()
    offsets.push_offsets(stack, settled, len(VALUES), blocks())
    written, num_initial = stack.words()
    assert 32 * (len(written) - num_initial) < 3 * (2e-3 * len(VALUES)) + 64
    shift = offsets.pop_offsets(Stack(written, num_initial), len(VALUES), blocks())
    np.testing.assert_array_equal(shift, blocks().of_positions(settled, len(VALUES)))


def test_numbers_that_no_offset_clears():
    with pytest.raises(ValueError, match="differ by less"):
        offsets.settle(lambda i, s: np.full(len(i), np.nan), 10, offsets.Blocks(4, 64))
