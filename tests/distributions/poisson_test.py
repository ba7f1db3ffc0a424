import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_vae.distributions import Poisson
from keras_vae.distributions.poisson import _inverted
from keras_vae.distributions.poisson import sample_poisson

COUNTS = np.array([0, 1, 2, 5, 10, 100, 1e4, 1e6, 1e8], "float32")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_log_prob_agrees_with_scipy():
    log_rates = np.array([-15, -3, 0.3, 2, 7, 12, 18.4], "float32")
    counts, log_rates = np.meshgrid(COUNTS, log_rates)
    poisson = Poisson(log_rates, batch_ndims=2)
    rates = numpy(poisson.mean).astype("float64")  # as float32 gives them
    expected = stats.poisson(rates).logpmf(counts.astype("float64"))
    np.testing.assert_allclose(numpy(poisson.log_prob(counts)), expected, 1e-5, 1e-5)


@pytest.mark.parametrize("log_rate", [-3.0, 1.0, 4.0])
def test_pmf_sums_to_one(log_rate):
    counts = np.arange(400, dtype="float32")[:, None]
    log_probs = numpy(Poisson(np.full((1, 1), log_rate)).log_prob(counts))
    assert np.exp(log_probs).sum() == pytest.approx(1, abs=1e-5)


def test_extreme_parameters_have_finite_values_and_gradients(value_and_gradients):
    counts, log_rate = np.meshgrid(COUNTS, np.array([-1e4, -30, 0, 30, 1e4], "float32"))
    value, [gradient] = value_and_gradients(lambda m: Poisson(m).log_prob(counts), log_rate)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_gradient_is_count_minus_rate(value_and_gradients):
    log_rate, counts = np.array([[-1.0, 2.0, 5.0]]), np.array([[3.0, 0.0, 140.0]])
    _, [gradient] = value_and_gradients(lambda m: Poisson(m).log_prob(counts), log_rate)
    np.testing.assert_allclose(gradient, counts - np.exp(log_rate), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("rate", [0.05, 3.0, 9.99, 10.0, 40.0, 1e4])
def test_draws_have_the_right_frequencies(rate):
    size = 20_000
    draws = numpy(sample_poisson(ops.full((size,), rate), seed=1)).astype("float64")
    assert draws.mean() == pytest.approx(rate, abs=5 * np.sqrt(rate / size))
    # The variance of the sample variance is about (2 rate^2 + rate) / size.
    assert draws.var() == pytest.approx(rate, abs=5 * np.sqrt((2 * rate**2 + rate) / size))
    below = stats.poisson(rate).cdf(np.floor(rate))
    assert np.mean(draws <= np.floor(rate)) == pytest.approx(below, abs=5 * 0.5 / np.sqrt(size))
    np.testing.assert_array_equal(draws, np.floor(draws))


def test_mode_is_the_rate_rounded_down():
    assert numpy(Poisson(np.log([[0.4, 2.5, 7.9]])).mode).tolist() == [[0, 2, 7]]


def test_the_largest_noise_gives_counts_of_the_tail():
    rates = np.linspace(0.01, 9.99, 200).astype("float32")
    for steps in (1, 2, 3, 10):  # below 1, in steps of the noise's grid
        u = np.full_like(rates, 1.0 - steps * 2.0**-24)
        counts = numpy(_inverted(ops.convert_to_tensor(rates), ops.convert_to_tensor(u)))
        # Around the count that is exceeded with a probability of 6e-8 to 6e-7.
        assert (counts >= stats.poisson(rates).isf(1e-5)).all()
        assert (counts <= stats.poisson(rates).isf(1e-9)).all()
