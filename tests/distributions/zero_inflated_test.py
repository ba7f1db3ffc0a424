import numpy as np
import pytest
from keras import ops
from scipy import special
from scipy import stats

from keras_vae.distributions import NegativeBinomial
from keras_vae.distributions import Poisson
from keras_vae.distributions import ZeroInflated


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_log_prob_agrees_with_scipy():
    rng = np.random.default_rng(0)
    log_rate, logits = rng.normal(size=(2, 10, 7))
    counts = rng.poisson(2, (10, 7))
    got = numpy(ZeroInflated(Poisson(log_rate), logits).log_prob(counts))
    share = special.expit(logits)
    pmf = share * (counts == 0) + (1 - share) * stats.poisson(np.exp(log_rate)).pmf(counts)
    np.testing.assert_allclose(got, np.log(pmf).sum(axis=1), rtol=1e-5, atol=1e-5)


def test_pmf_sums_to_one():
    counts = np.arange(2000, dtype="float32")[:, None]
    base = NegativeBinomial(np.full((1, 1), 1.0), 0.3)
    log_probs = numpy(ZeroInflated(base, 0.7).log_prob(counts))
    assert np.exp(log_probs).sum() == pytest.approx(1, abs=1e-5)


def test_extreme_parameters_have_finite_values_and_gradients(value_and_gradients):
    extremes = np.array([-1e4, 0, 1e4], "float32")
    counts, log_mean, logits = np.meshgrid(np.array([0, 1, 1e8], "float32"), extremes, extremes)

    def log_prob(log_mean, logits):
        return ZeroInflated(Poisson(log_mean), logits).log_prob(counts)

    value, gradients = value_and_gradients(log_prob, log_mean, logits)
    assert np.isfinite(value)
    assert all(np.isfinite(g).all() for g in gradients)


def test_draws_and_mean_agree():
    zero_inflated = ZeroInflated(Poisson(np.full((20_000, 1), 1.5)), -0.5)
    draws, expected = numpy(zero_inflated.sample(seed=0)), numpy(zero_inflated.mean)[0, 0]
    assert draws.mean() == pytest.approx(expected, abs=0.1)
    share = special.expit(-0.5) + special.expit(0.5) * np.exp(-np.exp(1.5))
    assert np.mean(draws == 0) == pytest.approx(share, abs=0.02)


def test_mode_is_zero_where_zero_is_likelier():
    zero_inflated = ZeroInflated(Poisson(np.log([[5.5, 5.5]])), np.array([3.0, -3.0]))
    assert numpy(zero_inflated.mode).tolist() == [[0, 5]]
