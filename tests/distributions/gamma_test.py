import numpy as np
from keras import ops
from scipy import special

from keras_vae.distributions import log_gamma
from keras_vae.distributions.gamma import deviance
from keras_vae.distributions.gamma import stirling_excess

X = np.concatenate([np.geomspace(1e-6, 1e8, 400), np.arange(1, 40)]).astype("float32")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_log_gamma_agrees_with_scipy():
    expected = special.gammaln(X.astype("float64"))
    np.testing.assert_allclose(numpy(log_gamma(X)), expected, rtol=1e-6, atol=2e-6)


def test_its_gradient_is_the_digamma_function(value_and_gradients):
    _, [gradient] = value_and_gradients(log_gamma, X)
    np.testing.assert_allclose(gradient, special.digamma(X.astype("float64")), 1e-5, 2e-6)


def test_the_excess_over_stirlings_formula_keeps_its_digits_for_large_numbers():
    x = np.array([0, 1, 4, 4.5, 1e3], "float64")
    expected = special.gammaln(x + 1) - special.xlogy(x, x) + x
    np.testing.assert_allclose(numpy(stirling_excess(x.astype("float32"))), expected, atol=2e-6)
    large = np.array([1e8], "float32")  # where the difference of SciPy's terms loses its digits
    expected = 0.5 * np.log(2 * np.pi * 1e8)
    np.testing.assert_allclose(numpy(stirling_excess(large)), expected, rtol=1e-7)


def test_deviance_is_smooth_where_its_formula_changes():
    mean = np.linspace(60, 160, 1001, dtype="float32")
    expected = 100 * np.log(100 / mean.astype("float64")) + mean - 100
    mean = ops.convert_to_tensor(mean)
    x = ops.full_like(mean, 100.0)
    got = numpy(deviance(x, mean, x - mean))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_deviance_of_zero_is_the_mean():
    mean = ops.convert_to_tensor(np.linspace(0.1, 160, 101, dtype="float32"))
    np.testing.assert_allclose(numpy(deviance(0.0 * mean, mean, -mean)), numpy(mean), rtol=1e-6)
