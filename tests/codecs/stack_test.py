import math

import numpy as np
import pytest

pytest.importorskip("constriction")

from keras_vae.codecs.stack import Stack
from keras_vae.codecs.stack import initial_words

pytestmark = pytest.mark.one_backend

RNG = np.random.default_rng(0)
TABLES = np.floor(RNG.random((1000, 7)) * 1000) + 1
SYMBOLS = np.array([RNG.choice(7, p=row / row.sum()) for row in TABLES])


def test_what_is_pushed_costs_what_its_probability_says():
    stack = Stack()
    stack.push(SYMBOLS, TABLES)
    chosen = TABLES[np.arange(1000), SYMBOLS] / TABLES.sum(axis=1)
    bits = -np.log2(chosen).sum()
    written, num_initial = stack.words()
    assert 32 * (len(written) - num_initial) == pytest.approx(bits, abs=33)


def test_a_pop_draws_from_the_distribution():
    share = np.array([3.0, 1.0])
    drawn = Stack().pop(share, 4000)
    assert np.mean(drawn) == pytest.approx(0.25, abs=4 * math.sqrt(0.25 * 0.75 / 4000))


def test_everything_comes_back_and_the_initial_words_too():
    stack = Stack()
    stack.push(SYMBOLS, TABLES)
    first = stack.pop(TABLES[:200])  # its own symbols
    np.testing.assert_array_equal(first, SYMBOLS[:200])
    drawn_tables = np.floor(RNG.random((3000, 64)) * 1000) + 1
    drawn = stack.pop(drawn_tables)  # 18,000 bits, of which a seventh are there
    stack.push(SYMBOLS, TABLES)
    written, num_initial = stack.words()
    assert 15_000 < 32 * num_initial < 18_000

    reader = Stack(written, num_initial)
    np.testing.assert_array_equal(reader.pop(TABLES), SYMBOLS)
    reader.push(drawn, drawn_tables)
    reader.push(first, TABLES[:200])
    np.testing.assert_array_equal(reader.pop(TABLES), SYMBOLS)
    assert reader.is_back_at_start()


def test_a_reader_that_reads_more_than_was_written_is_stopped():
    stack = Stack()
    stack.push(SYMBOLS, TABLES)
    reader = Stack(*stack.words())
    reader.pop(TABLES)
    with pytest.raises(ValueError, match="More was read"):
        reader.pop(TABLES[:100])


def test_a_shared_table_is_that_table_for_each():
    one, each = Stack(), Stack()
    one.push(SYMBOLS, TABLES[0])
    each.push(SYMBOLS, np.repeat(TABLES[:1], 1000, axis=0))
    np.testing.assert_array_equal(one.words()[0], each.words()[0])


def test_initial_words_are_the_top_of_one_sequence():
    np.testing.assert_array_equal(initial_words(5)[2:], initial_words(3))
    assert initial_words(1000).min() > 0
