import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_vae.distributions import LogNormal


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_log_prob_mean_and_median_agree_with_scipy():
    rng = np.random.default_rng(0)
    mean, log_var = rng.normal(size=(2, 10, 7))
    x = np.exp(3 * rng.normal(size=(10, 7)))
    log_normal = LogNormal(mean, log_var)
    reference = stats.lognorm(np.exp(0.5 * log_var), scale=np.exp(mean))
    got = numpy(log_normal.log_prob(x))
    np.testing.assert_allclose(got, reference.logpdf(x).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(numpy(log_normal.mean), reference.mean(), rtol=1e-5)
    np.testing.assert_allclose(numpy(log_normal.median), reference.median(), rtol=1e-5)


def test_mode_has_the_highest_density():
    log_normal = LogNormal([[0.3]], -0.5)
    x = np.linspace(0.01, 5, 5000)[:, None]
    best = x[np.argmax(numpy(log_normal.log_prob(x)))]
    assert numpy(log_normal.mode)[0, 0] == pytest.approx(best, abs=2e-3)


def test_extreme_parameters_have_finite_values_and_gradients(value_and_gradients):
    extremes = np.array([-1e4, 0, 1e4], "float32")
    x, mean, log_var = np.meshgrid(np.array([1e-8, 1, 1e8], "float32"), extremes, extremes)

    def log_prob(mean, log_var):
        return LogNormal(mean, log_var).log_prob(x)

    value, gradients = value_and_gradients(log_prob, mean, log_var)
    assert np.isfinite(value)
    assert all(np.isfinite(g).all() for g in gradients)
    assert np.isfinite(numpy(LogNormal(mean, log_var).mean)).all()


def test_logarithms_of_draws_are_gaussian():
    draws = np.log(numpy(LogNormal(np.full((20_000, 1), 0.5), 0.0).sample(seed=0)))
    assert stats.kstest(draws[:, 0], stats.norm(0.5, 1).cdf).pvalue > 1e-3
