import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_vae.distributions import StudentT


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("degrees", [0.1, 1.0, 4.0, 1e3, 1e8])
def test_log_prob_agrees_with_scipy(degrees):
    x = np.array([[0, 0.3, -2, 50, 1e6]]).T
    got = numpy(StudentT(np.full((5, 1), 0.25), -0.5, degrees).log_prob(x))
    expected = stats.t(degrees, 0.25, np.exp(-0.5)).logpdf(x[:, 0])
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_extreme_data_and_parameters_have_finite_values_and_gradients(value_and_gradients):
    extremes = np.array([-1e4, 0, 1e4], "float32")
    x, location, log_scale = np.meshgrid(np.array([0, 1e8, 1e30], "float32"), extremes, extremes)

    def log_prob(location, log_scale, degrees):
        return StudentT(location, log_scale, degrees).log_prob(x)

    value, gradients = value_and_gradients(log_prob, location, log_scale, np.array([3.0]))
    assert np.isfinite(value)
    assert all(np.isfinite(g).all() for g in gradients)


def test_the_logarithm_has_no_step_where_its_formula_changes():
    x = np.array([[4.8e8], [4.9e8]])
    first, second = numpy(StudentT(np.zeros((2, 1)), 0.0, 1.0).log_prob(x))
    assert first - second == pytest.approx(2 * np.log(4.9 / 4.8), abs=1e-4)


def test_draws_agree_with_scipy():
    draws = numpy(StudentT(np.full((20_000, 1), 1.0), 0.5, 3.0).sample(seed=0))
    assert stats.kstest(draws[:, 0], stats.t(3, 1, np.exp(0.5)).cdf).pvalue > 1e-3
