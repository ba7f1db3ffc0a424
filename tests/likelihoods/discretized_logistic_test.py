import numpy as np
import pytest
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


@pytest.mark.one_backend
@pytest.mark.parametrize("num_bins", [2, 256])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_levels_rounded_to_any_type_are_data(dtype, num_bins):
    levels = np.arange(num_bins)[None] / (num_bins - 1)
    likelihood = likelihoods.DiscretizedLogisticLikelihood(num_bins)
    likelihood.check(levels.astype(dtype))
    likelihood.check(levels.astype("float32").astype(dtype))
    for resized in (0.3 / (num_bins - 1), (num_bins - 1.3) / (num_bins - 1)):
        with pytest.raises(ValueError, match="levels k/"):
            likelihood.check(np.array([[0.0, resized]], dtype))


@pytest.mark.one_backend
def test_levels_that_float16_cannot_tell_apart_are_refused():
    levels = (np.arange(4096)[None] / 4095).astype("float16")
    with pytest.raises(ValueError, match="levels k/4095"):
        likelihoods.DiscretizedLogisticLikelihood(4096).check(levels)


@pytest.mark.one_backend
def test_arguments_are_checked_at_once():
    for num_bins in (1, 0, 2.5, "256", True):
        with pytest.raises(ValueError, match="`num_bins` must be an integer of at least 2"):
            likelihoods.DiscretizedLogisticLikelihood(num_bins)
    for scale in (1e-9, 1e9):
        with pytest.raises(ValueError, match="`initial_scale` must lie between"):
            likelihoods.DiscretizedLogisticLikelihood(initial_scale=scale)
