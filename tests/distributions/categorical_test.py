import math

import numpy as np
import pytest
from keras import ops
from scipy import special
from scipy import stats

from keras_vae.distributions import Categorical
from keras_vae.distributions import kl_divergence


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_log_prob_by_hand():
    # Odds 1 : 2 : 5.
    categorical = Categorical(np.log([[[1.0, 2.0, 5.0]] * 2]))
    log_prob = float(categorical.log_prob([[2, 0]])[0])
    assert log_prob == pytest.approx(math.log(5 / 8 * 1 / 8), rel=1e-6)
    np.testing.assert_allclose(numpy(categorical.probs)[0, 0], [1 / 8, 2 / 8, 5 / 8], rtol=1e-6)
    np.testing.assert_allclose(numpy(categorical.mean), [[1.5, 1.5]], rtol=1e-6)
    np.testing.assert_array_equal(numpy(categorical.mode), [[2, 2]])


def test_log_prob_agrees_with_scipy():
    rng = np.random.default_rng(0)
    logits, x = rng.normal(size=(10, 7, 20)) * 10, rng.integers(0, 20, (10, 7))
    got = numpy(Categorical(logits, batch_ndims=2).log_prob(x))
    expected = stats.multinomial.logpmf(np.eye(20)[x], 1, special.softmax(logits, -1))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_pmf_sums_to_one_and_ignores_a_shift_of_the_logits():
    logits = np.random.default_rng(0).integers(-8, 8, 50).astype("float32")
    x = np.arange(50)[:, None]
    log_probs = numpy(Categorical([logits]).log_prob(x))
    assert np.exp(log_probs).sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(numpy(Categorical([logits + 9e3]).log_prob(x)), log_probs, 1e-6)


def test_leading_axes_broadcast_both_ways():
    rng = np.random.default_rng(0)
    logits, x = rng.normal(size=(5, 4, 3, 7)), rng.integers(0, 7, (4, 3))
    got = numpy(Categorical(logits, batch_ndims=2).log_prob(x))
    expected = [numpy(Categorical(one).log_prob(x)) for one in logits]
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_gradient_is_one_hot_minus_probability(value_and_gradients):
    logits, x = np.array([[[0.0, 1.0, 2.0], [1e4, 0.0, -1e4]]]), np.array([[1, 2]])
    _, [gradient] = value_and_gradients(lambda logits: Categorical(logits).log_prob(x), logits)
    np.testing.assert_allclose(gradient, np.eye(3)[x] - special.softmax(logits, -1), atol=1e-6)


def test_samples_have_the_right_frequencies():
    logits = np.log([0.05, 0.15, 0.3, 0.5]) + 9e3
    draws = numpy(Categorical(logits, batch_ndims=0).sample(seed=0, num_samples=10000))
    assert draws.dtype == "int32"
    counts = np.bincount(draws, minlength=4)
    assert stats.chisquare(counts, [500, 1500, 3000, 5000]).pvalue > 0.01


def test_kl_by_hand():
    # From (1/4, 3/4) to the uniform: log 2 + 1/4 log(1/4) + 3/4 log(3/4); two elements.
    q = Categorical(np.log([[[1.0, 3.0], [3.0, 1.0]]]))
    kl = float(kl_divergence(q, Categorical(np.zeros((2, 2)), batch_ndims=0))[0])
    assert kl == pytest.approx(2 * (0.75 * math.log(3) - math.log(2)), rel=1e-5)
