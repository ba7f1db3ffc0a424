import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_vae import likelihoods


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_against_scipy():
    parameters, x = np.array([[0.5, -1.0, 0.2, -0.3]]), np.array([[3.0, 0.2]])
    got = numpy(likelihoods.LogNormalLikelihood()(parameters).log_prob(x))
    reference = stats.lognorm(np.exp([0.1, -0.15]), scale=np.exp([0.5, -1.0]))
    np.testing.assert_allclose(got, reference.logpdf(x).sum(axis=1), rtol=1e-5)


@pytest.mark.one_backend
def test_zero_is_no_datum():
    with pytest.raises(ValueError, match="greater than 0"):
        likelihoods.LogNormalLikelihood().check(np.array([[1.0, 0.0]]))
