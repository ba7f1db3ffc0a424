import itertools
import math

import numpy as np
import pytest
from keras import ops
from scipy import special
from scipy import stats

from keras_vae.distributions import Bernoulli
from keras_vae.distributions import kl_divergence


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_log_prob_by_hand():
    # Odds 3 : 1, so P(1) = 3/4.
    log_prob = numpy(Bernoulli([[math.log(3.0)] * 2, [0.0] * 2]).log_prob([[1, 0], [1, 0]]))
    np.testing.assert_allclose(log_prob, [math.log(3 / 16), math.log(1 / 4)], rtol=1e-6)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("x", [0, 1])
def test_log_prob_is_exact_in_both_tails(x):
    logits = np.linspace(-60, 60, 481)
    got = numpy(Bernoulli(logits).log_prob(np.full(481, x)))
    np.testing.assert_allclose(got, special.log_expit((2 * x - 1) * logits), rtol=1e-5)
    middle = np.abs(logits) < 15  # beyond, SciPy's probabilities round to 0 and 1
    expected = stats.bernoulli.logpmf(x, special.expit(logits[middle]))
    np.testing.assert_allclose(got[middle], expected, rtol=1e-5)


def test_pmf_sums_to_one():
    logits = np.random.default_rng(0).normal(size=5) * 2
    x = np.array(list(itertools.product([0, 1], repeat=5)))
    total = np.exp(numpy(Bernoulli(logits, batch_ndims=0).log_prob(x))).sum()
    assert total == pytest.approx(1, abs=1e-6)


def test_grey_pixels_give_the_cross_entropy():
    rng = np.random.default_rng(0)
    logits, x = rng.normal(size=(4, 100)) * 3, rng.uniform(size=(4, 100))
    p = special.expit(logits)
    expected = (x * np.log(p) + (1 - x) * np.log1p(-p)).sum(-1)
    np.testing.assert_allclose(numpy(Bernoulli(logits).log_prob(x)), expected, rtol=1e-5)


@pytest.mark.parametrize("size", [1, 7, 784])
def test_many_draws_agree_with_float64_to_a_hundred_thousandth_of_a_nat(size):
    rng = np.random.default_rng(0)
    x = (rng.uniform(size=(3, size, 1)) < 0.2).astype("float32")
    # As a trained decoder gives them: most pixels certain, and hardly any wrong.
    logits = (2 * x - 1) * rng.normal(12, 4, size=(50, 3, size, 1)).astype("float32")
    expected = special.log_expit((2 * x - 1) * logits.astype("float64")).sum((2, 3))
    rows = Bernoulli(logits.reshape(150, size, 1))
    got = numpy(rows.log_prob_over_draws(x, 50))
    np.testing.assert_allclose(got, expected, rtol=2e-7, atol=1e-5)


def test_gradient_is_data_minus_probability_also_at_zero(value_and_gradients):
    logits = np.array([[0.0, 0.0, -20.0, 3.0, -1e4, 1e4]])
    x = np.array([[1.0, 0.0, 1.0, 0.25, 0.0, 0.0]])
    _, [gradient] = value_and_gradients(lambda logits: Bernoulli(logits).log_prob(x), logits)
    np.testing.assert_allclose(gradient, x - special.expit(logits), rtol=1e-6, atol=1e-7)


def test_gradients_for_the_data_and_for_logits_that_several_data_share(value_and_gradients):
    rng = np.random.default_rng(0)
    logits, x = rng.normal(size=(2, 3)) * 4, rng.uniform(size=(5, 2, 3))
    _, gradients = value_and_gradients(lambda logits, x: Bernoulli(logits).log_prob(x), logits, x)
    np.testing.assert_allclose(gradients[0], (x - special.expit(logits)).sum(0), rtol=1e-5)
    np.testing.assert_allclose(gradients[1], np.broadcast_to(logits, x.shape), rtol=1e-5)


def test_mean_and_mode():
    bernoulli = Bernoulli([[-2.0, 0.5, 30.0]])
    np.testing.assert_allclose(numpy(bernoulli.mean), [special.expit([-2.0, 0.5, 30.0])], 1e-6)
    np.testing.assert_array_equal(numpy(bernoulli.mode), [[0.0, 1.0, 1.0]])


def test_samples_are_bits_of_the_right_frequency():
    logits = np.array([-3.0, 0.0, 1.0])
    draws = numpy(Bernoulli(logits).sample(seed=0, num_samples=10000))
    assert set(np.unique(draws)) == {0.0, 1.0}
    p = special.expit(logits)
    assert (np.abs(draws.mean(0) - p) < 3 * np.sqrt(p * (1 - p) / 10000)).all()


def test_kl_by_hand():
    # 3/4 log((3/4) / (1/2)) + 1/4 log((1/4) / (1/2)) = 3/4 log 3 - log 2
    kl = kl_divergence(Bernoulli([[math.log(3.0)]]), Bernoulli([0.0], batch_ndims=0))
    assert float(kl[0]) == pytest.approx(0.75 * math.log(3) - math.log(2), rel=1e-5)
    kl = kl_divergence(Bernoulli([[1e4]]), Bernoulli([[-1e4]]))
    assert float(kl[0]) == pytest.approx(1e4)
