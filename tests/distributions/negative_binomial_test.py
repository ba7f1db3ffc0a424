import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_vae.distributions import NegativeBinomial
from keras_vae.distributions import Poisson

COUNTS = np.array([0, 1, 2, 5, 10, 100, 1e4, 1e6, 1e8], "float32")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_log_prob_agrees_with_scipy():
    # SciPy itself loses digits where x or r is large.
    counts, log_mean, log_r = np.meshgrid(
        COUNTS[:-1], np.array([-3, 0.3, 2, 7], "float32"), np.array([-2, 0, 2, 6], "float32")
    )
    mean, r = (np.exp(v.astype("float64")) for v in (log_mean, log_r))
    expected = stats.nbinom(r, r / (r + mean)).logpmf(counts.astype("float64"))
    got = numpy(NegativeBinomial(log_mean, log_r, batch_ndims=3).log_prob(counts))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("log_r", [-1.0, 0.0, 3.0])
def test_pmf_sums_to_one(log_r):
    counts = np.arange(3000, dtype="float32")[:, None]
    log_probs = numpy(NegativeBinomial(np.full((1, 1), 2.0), log_r).log_prob(counts))
    assert np.exp(log_probs).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("r", [1e4, 1e6, 1e8])
def test_becomes_poisson_as_the_dispersion_vanishes(r):
    counts = np.arange(0, 30, dtype="float32")[:, None]
    log_mean = np.full((1, 1), 1.0)
    got = numpy(NegativeBinomial(log_mean, np.log(r)).log_prob(counts[:6]))
    # The difference itself is ((x - mean)^2 - x) / (2 r) to first order.
    exact = (counts[:6, 0] - np.e) ** 2 - counts[:6, 0]
    expected = numpy(Poisson(log_mean).log_prob(counts[:6]))
    np.testing.assert_allclose(got - expected, -exact / (2 * r) * -1, atol=1e-5 + 1 / r)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4 + 6 / r)


def test_extreme_parameters_have_finite_values_and_gradients(value_and_gradients):
    extremes = np.array([-1e4, -30, 0, 30, 1e4], "float32")
    counts, log_mean, log_r = np.meshgrid(COUNTS, extremes, extremes)

    def log_prob(log_mean, log_r):
        return NegativeBinomial(log_mean, log_r).log_prob(counts)

    value, gradients = value_and_gradients(log_prob, log_mean, log_r)
    assert np.isfinite(value)
    assert all(np.isfinite(g).all() for g in gradients)


def test_draws_have_the_mean_and_the_variance():
    log_mean, log_r, size = 1.0, 0.5, 20_000
    draws = numpy(NegativeBinomial(np.full((size, 1), log_mean), log_r).sample(seed=3))
    mean, variance = np.exp(log_mean), np.exp(log_mean) + np.exp(2 * log_mean - log_r)
    assert draws.mean() == pytest.approx(mean, abs=5 * np.sqrt(variance / size))
    assert draws.var() == pytest.approx(variance, rel=0.1)


def test_mode_agrees_with_scipy():
    mean, r = np.array([[0.5, 4.2, 9.7, 3.0]]), np.array([2.0, 3.0, 20.0, 0.5])
    counts = np.arange(60)[:, None]
    pmf = stats.nbinom(r, r / (r + mean[0])).pmf(counts)
    got = numpy(NegativeBinomial(np.log(mean), np.log(r)).mode)
    np.testing.assert_array_equal(got[0], pmf.argmax(axis=0))
