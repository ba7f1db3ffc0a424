import numpy as np
from keras import ops

from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Observed


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_sums_over_what_is_observed():
    rng = np.random.default_rng(0)
    mean, log_var, x = rng.normal(size=(3, 6, 4))
    each = numpy(DiagonalGaussian(mean, log_var).log_prob_of_elements(x))
    mask = rng.random((6, 4)) < 0.5
    gaps = np.where(mask, x, np.nan)
    got = numpy(Observed(DiagonalGaussian(mean, log_var)).log_prob(gaps))
    np.testing.assert_allclose(got, (each * mask).sum(axis=1), rtol=1e-5)


def test_a_gap_has_no_gradient(value_and_gradients):
    def log_prob(mean):
        return Observed(DiagonalGaussian(mean, 0.0)).log_prob([[np.nan, 3.0]])

    value, [gradient] = value_and_gradients(log_prob, np.array([[1e4, 1.0]]))
    assert np.isfinite(value)
    assert gradient.tolist() == [[0.0, 2.0]]
