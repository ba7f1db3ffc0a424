import numpy as np
import pytest

pytest.importorskip("constriction")

from keras_vae.codecs import offsets
from keras_vae.codecs.logistic import LogisticCode
from keras_vae.codecs.stack import Stack

pytestmark = pytest.mark.one_backend

RNG = np.random.default_rng(0)
N, BINS = 4000, 256
LOCATION = RNG.uniform(-5, BINS + 5, size=N)
LOG_SCALE = RNG.uniform(-1.5, 3.0, size=N)
U = RNG.uniform(1e-6, 1 - 1e-6, size=N)
NOISE = np.log(U / (1 - U))
SYMBOLS = np.clip(np.round(LOCATION + np.exp(LOG_SCALE) * NOISE), 0, BINS - 1).astype("int32")
MARGINS = (5e-4, 5e-5)
CODE = LogisticCode(BINS, MARGINS)
BLOCKS = offsets.blocks_for(CODE.clearance(LOCATION, LOG_SCALE, np.zeros(N)))


def log_probs(location, log_scale):
    """Of all levels, (N, BINS), by the definition."""
    edges = np.arange(1, BINS) - 0.5
    below = 1 / (1 + np.exp(-(edges - location[:, None]) / np.exp(log_scale)[:, None]))
    padded = np.pad(below, ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
    padded[:, -1] = 1
    return np.log(np.maximum(np.diff(padded, axis=1), 1e-7))


def written():
    stack = Stack()
    CODE.push(stack, SYMBOLS, LOCATION, LOG_SCALE, BLOCKS)
    return stack.words()


def test_levels_cost_their_entropy_to_one_percent():
    words, num_initial = written()
    bits = -log_probs(LOCATION, LOG_SCALE)[np.arange(N), SYMBOLS].sum() / np.log(2)
    assert 0.999 < 32 * (len(words) - num_initial) / bits < 1.01


def test_frequencies_against_the_definition():
    found = CODE.frequencies(LOCATION[:50], LOG_SCALE[:50], np.zeros(50))
    found = found / found.sum(axis=1, keepdims=True)
    divergence = np.sum(found * (np.log(found) - log_probs(LOCATION[:50], LOG_SCALE[:50])), axis=1)
    assert divergence.mean() < 0.006  # nats; rounding costs that much
    assert divergence.max() < 0.03


def test_parameters_that_are_a_margin_off_read_the_same():
    location = LOCATION + RNG.uniform(-0.99, 0.99, size=N) * MARGINS[0]
    log_scale = LOG_SCALE + RNG.uniform(-0.99, 0.99, size=N) * MARGINS[1]
    np.testing.assert_array_equal(
        LogisticCode(BINS).pop(Stack(*written()), location, log_scale, BLOCKS), SYMBOLS
    )
    unsettled = CODE.frequencies(location, log_scale, np.zeros(N))
    assert np.any(unsettled != CODE.frequencies(LOCATION, LOG_SCALE, np.zeros(N)))


def test_parameters_far_out_are_coded_too():
    location, log_scale = np.array([-1e6, 1e6, 3.0]), np.array([-80.0, 50.0, -80.0])
    symbols, stack, blocks = np.array([0, 255, 3]), Stack(), offsets.Blocks(1, 0)
    CODE.push(stack, symbols, location, log_scale, blocks)
    np.testing.assert_array_equal(CODE.pop(stack, location, log_scale, blocks), symbols)


def test_too_many_levels():
    with pytest.raises(NotImplementedError, match="at most 1024"):
        LogisticCode(65536)
