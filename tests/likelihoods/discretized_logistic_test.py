import numpy as np
from keras import ops
from scipy import stats

from keras_vae import likelihoods

RNG = np.random.default_rng(0)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_discretized_logistic_is_a_difference_of_cdfs():
    parameters = np.concatenate([RNG.uniform(size=(2, 6)), RNG.normal(size=(2, 6))], axis=1)
    x = RNG.integers(1, 255, (2, 6)) / 255
    mean, scale = parameters[:, :6], 0.1 * np.exp(parameters[:, 6:])
    cdf = stats.logistic(mean, scale).cdf
    expected = np.log(cdf(x + 0.5 / 255) - cdf(x - 0.5 / 255)).sum(axis=1)
    measured = numpy(likelihoods.DiscretizedLogisticLikelihood()(parameters).log_prob(x))
    np.testing.assert_allclose(measured, expected, rtol=1e-5)
