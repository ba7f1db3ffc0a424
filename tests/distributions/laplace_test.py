import numpy as np
from keras import ops
from scipy import stats

from keras_vae.distributions import Laplace


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_log_prob_agrees_with_scipy():
    rng = np.random.default_rng(0)
    location, log_scale, x = rng.normal(size=(3, 10, 7))
    expected = stats.laplace(location, np.exp(log_scale)).logpdf(10 * x).sum(axis=1)
    got = numpy(Laplace(location, log_scale).log_prob(10 * x))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_extreme_parameters_have_finite_values_and_gradients(value_and_gradients):
    extremes = np.array([-1e4, 0, 1e4], "float32")
    x, location, log_scale = np.meshgrid(np.array([0, 1, 1e8], "float32"), extremes, extremes)

    def log_prob(location, log_scale):
        return Laplace(location, log_scale).log_prob(x)

    value, gradients = value_and_gradients(log_prob, location, log_scale)
    assert np.isfinite(value)
    assert all(np.isfinite(g).all() for g in gradients)


def test_draws_agree_with_scipy():
    draws = numpy(Laplace(np.full((20_000, 1), 1.0), 0.5).sample(seed=0))
    assert stats.kstest(draws[:, 0], stats.laplace(1, np.exp(0.5)).cdf).pvalue > 1e-3
