import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_vae import likelihoods


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_student_t_against_scipy():
    parameters, x = np.array([[0.5, -1.0, 0.2, -0.3]]), np.array([[3.0, -2.0]])
    got = numpy(likelihoods.StudentTLikelihood(3.0)(parameters).log_prob(x))
    expected = stats.t(3, [0.5, -1.0], np.exp([0.2, -0.3])).logpdf(x).sum(axis=1)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_laplace_against_scipy():
    parameters, x = np.array([[0.5, -1.0, 0.2, -0.3]]), np.array([[3.0, -2.0]])
    got = numpy(likelihoods.LaplaceLikelihood()(parameters).log_prob(x))
    expected = stats.laplace([0.5, -1.0], np.exp([0.2, -0.3])).logpdf(x).sum(axis=1)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


@pytest.mark.one_backend
def test_no_degrees_of_freedom():
    with pytest.raises(ValueError, match=r"`degrees_of_freedom`.*positive"):
        likelihoods.StudentTLikelihood(0.0)
