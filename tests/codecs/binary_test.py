import numpy as np
import pytest

pytest.importorskip("constriction")

from keras_vae.codecs import binary
from keras_vae.codecs.stack import Stack

pytestmark = pytest.mark.one_backend

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(scale=6.0, size=20_000)
SYMBOLS = (RNG.uniform(size=LOGITS.shape) < 1 / (1 + np.exp(-LOGITS))).astype("int32")
MARGIN = 2e-4
BLOCKS = binary.blocks_of(LOGITS, MARGIN)


def written():
    stack = Stack()
    binary.push_binary(stack, SYMBOLS, LOGITS, MARGIN, BLOCKS)
    return stack.words()


def test_binary_symbols_cost_their_entropy_to_one_percent():
    words, num_initial = written()
    bits = np.logaddexp(0, (1 - 2 * SYMBOLS) * LOGITS).sum() / np.log(2)
    assert 1 <= 32 * (len(words) - num_initial) / bits < 1.012


def test_settled_logits_are_clear_of_edges():
    shift = BLOCKS.of_positions(binary.settled(LOGITS, MARGIN, BLOCKS), len(LOGITS))
    assert binary.clearance(LOGITS, np.zeros(len(LOGITS)), MARGIN).min() < 1
    assert binary.clearance(LOGITS, shift, MARGIN).min() > 0.999


def test_numbers_that_are_not_finite():
    with pytest.raises(ValueError, match="not finite"):
        binary.settled(np.array([0.1, np.nan]), MARGIN, BLOCKS)


def test_logits_that_are_a_margin_off_read_the_same():
    off = LOGITS + RNG.uniform(-0.99, 0.99, size=LOGITS.shape) * MARGIN
    assert np.any(binary.frequencies(off, 0.0) != binary.frequencies(LOGITS, 0.0))
    np.testing.assert_array_equal(binary.pop_binary(Stack(*written()), off, BLOCKS), SYMBOLS)


def test_the_edges_are_symmetric_and_widen():
    edges = binary.edges()
    np.testing.assert_array_equal(edges, -edges[::-1])
    assert np.all(np.diff(edges[edges >= 0], 2) >= 0)


def test_both_values_have_a_probability_everywhere():
    assert binary.frequencies(np.array([-1e4, 1e4]), 0.0).min() >= 1


@pytest.mark.parametrize("num_classes", [2, 3, 8, 100])
def test_the_decisions_of_a_tree_multiply_to_the_probability(num_classes):
    logits = RNG.normal(scale=2.0, size=(50, num_classes))
    symbols = RNG.integers(0, num_classes, size=50)
    tree = binary.DecisionTree(logits)
    taken = binary.digits(symbols, tree.num_decisions)
    log_probs = -np.logaddexp(0, (1 - 2 * taken) * tree.path(symbols)).sum(axis=0)
    expected = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(log_probs, expected[np.arange(50), symbols], rtol=1e-9)


def test_a_prefix_is_what_the_digits_say():
    tree = binary.DecisionTree(np.zeros((3, 8)))
    np.testing.assert_array_equal(binary.digits(np.array([5, 2, 7]), 3).T[0], [1, 0, 1])
    np.testing.assert_array_equal(tree.prefix(np.array([5, 2, 7]), 2), [2, 1, 3])
