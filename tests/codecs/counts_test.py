import numpy as np
import pytest

pytest.importorskip("constriction")
pytest.importorskip("scipy")

from scipy import stats

from keras_vae.codecs import counts as room
from keras_vae.codecs.counts import CountCode
from keras_vae.codecs.offsets import blocks_for
from keras_vae.codecs.stack import Stack

pytestmark = pytest.mark.one_backend

RNG = np.random.default_rng(0)
N = 3000
MARGIN = 1e-4


def cost(parameters, counts, has_r=False, has_zeros=False):
    """Returns the bits that counts take; reads them with parameters that are a margin off."""
    code = CountCode(has_r, has_zeros, [MARGIN] * len(parameters))
    blocks = blocks_for(code.clearance(parameters, np.zeros(len(counts))))
    stack = Stack()
    code.push(stack, counts, parameters, blocks)
    words, num_initial = stack.words()
    off = [p + RNG.uniform(-0.99, 0.99, size=p.shape) * MARGIN for p in parameters]
    found = CountCode(has_r, has_zeros, []).pop(Stack(words, num_initial), off, blocks)
    np.testing.assert_array_equal(found, counts)
    return 32 * (len(words) - num_initial)


@pytest.mark.parametrize("log_mean", [0.0, 3.0, 6.0])
def test_poisson_counts_cost_their_entropy(log_mean):
    m = RNG.uniform(log_mean - 1, log_mean + 1, size=N)
    counts = RNG.poisson(np.exp(m))
    expected = -stats.poisson.logpmf(counts, np.exp(m)).sum() / np.log(2)
    assert 0.995 < cost([m], counts) / expected < 1.01


@pytest.mark.parametrize("log_r", [-1.0, 1.0, 4.0])
@pytest.mark.parametrize("has_zeros", [False, True])
def test_negative_binomial_counts_cost_their_entropy(log_r, has_zeros):
    m, s = RNG.uniform(0, 3, size=N), RNG.uniform(log_r - 1, log_r + 1, size=N)
    r, p = np.exp(s), np.exp(s) / (np.exp(s) + np.exp(m))
    counts, log_p = RNG.negative_binomial(r, p), lambda x: stats.nbinom.logpmf(x, r, p)
    if not has_zeros:
        expected = -log_p(counts).sum() / np.log(2)
        assert 0.995 < cost([m, s], counts, has_r=True) / expected < 1.01
        return
    logits = RNG.normal(scale=2.0, size=N)
    zero = 1 / (1 + np.exp(-logits))
    counts = np.where(RNG.uniform(size=N) < zero, 0, counts)
    mass = (1 - zero) * np.exp(log_p(counts)) + zero * (counts == 0)
    expected = -np.log(mass).sum() / np.log(2)
    assert 0.995 < cost([m, s, logits], counts, True, True) / expected < 1.015


def test_rare_counts_are_dear_and_large_means_in_intervals():
    m = np.repeat([-30.0, 3.0, 14.0, 60.0], 25)
    counts = np.tile([0, 7, 2**31 - 1, 123456789, 1200000], 20)
    cost([m], counts)
    cost([m, np.zeros(100)], counts, has_r=True)
    cost([m, np.zeros(100), np.ones(100)], counts, True, True)


def test_tables_follow_from_the_ratios_of_neighbours():
    given = room.Rounded(np.array([3.5, 20.0]), np.array([np.inf, 2.0]), np.zeros(2))
    windows = room._windows(given)
    for i, exact in enumerate([stats.poisson(3.5), stats.nbinom(2.0, 2.0 / 22.0)]):
        one, columns = np.array([i]), int(windows.columns[i])
        table = room._frequencies(room._of(given, one), room._of(windows, one), columns)
        k = int(windows.first[i]) + np.arange(columns - 2)
        np.testing.assert_allclose(table[0, :-2] / table.sum(), exact.pmf(k), rtol=1e-4, atol=1e-8)
