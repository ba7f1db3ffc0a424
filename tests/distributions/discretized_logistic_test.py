import math

import numpy as np
import pytest
from keras import ops
from scipy import special
from scipy import stats

from keras_vae.distributions import DiscretizedLogistic

LEVELS = np.arange(256) / 255


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def pmf(mean, log_scale, num_bins=256):
    """log P of every level, float64."""
    levels = np.arange(num_bins) / (num_bins - 1)
    distribution = DiscretizedLogistic(np.full(num_bins, mean), log_scale, num_bins)
    return numpy(distribution.log_prob(levels)).astype("float64")


def test_two_bins_by_hand():
    # The edge between 0 and 1 is 1/2, one scale above the mean: P(1) = sigmoid(-1).
    expected = [-math.log1p(math.exp(-1)), -1 - math.log1p(math.exp(-1))]
    np.testing.assert_allclose(pmf(0.25, math.log(0.25), 2), expected, rtol=1e-6)


def test_three_bins_by_hand():
    # Edges 1/4 and 3/4, mean 1/2, scale 1/(4 log 3): +-log 3 scales off, so 1/4, 1/2, 1/4.
    np.testing.assert_allclose(
        np.exp(pmf(0.5, -math.log(4 * math.log(3)), 3)), [0.25, 0.5, 0.25], rtol=1e-6
    )


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "mean, log_scale",
    [
        (0.5, -1.0),
        (0.1, -7.0),
        (0.9, 3.0),
        (-0.3, -4.0),
        (1.2, -3.0),
        (0.3, -20.0),
        (1e4, 1e4),
        (-1e4, -1e4),
        (0.501, -1e4),
        (0.5, 1e4),
    ],
)
def test_pmf_sums_to_one(mean, log_scale):
    assert np.exp(pmf(mean, log_scale)).sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("mean, log_scale", [(0.5, -1.0), (0.4, -4.0), (-0.1, -2.0), (0.9, 1.0)])
def test_masses_are_scipys_cdf_differences(mean, log_scale):
    edges = np.concatenate([[-np.inf], (np.arange(255) + 0.5) / 255, [np.inf]])
    # From the upper tail for the upper half, where differences of the cdf have no digits left.
    logistic = stats.logistic(np.float32(mean), np.exp(np.float64(np.float32(log_scale))))
    lower, upper = np.diff(logistic.cdf(edges)), -np.diff(logistic.sf(edges))
    expected = np.log(np.where(mean > LEVELS, lower, upper))
    np.testing.assert_allclose(pmf(mean, log_scale), expected, rtol=1e-5, atol=1e-5)


def test_far_tails_are_exact():
    # 0.1 + 200/255 with scale e^-7: the mass is about e^-860, far below the smallest float64.
    got = pmf(0.1, -7.0)[230]
    b, a = ((np.array([230.5, 229.5]) / 255) - np.float64(np.float32(0.1))) * math.exp(7)
    expected = -a + special.log_expit(b) + special.log_expit(a) + math.log(-math.expm1(a - b))
    assert got == pytest.approx(expected, rel=1e-5)
    assert got < -860


def test_more_bins_approach_the_density():
    mean, log_scale = 0.4, -2.0
    log_mass = pmf(mean, log_scale, 4096)[1:-1] + math.log(4095)
    density = stats.logistic.logpdf(np.arange(1, 4095) / 4095, mean, math.exp(log_scale))
    np.testing.assert_allclose(log_mass, density, atol=1e-5, rtol=1e-5)


def test_data_are_rounded_to_the_level_meant():
    distribution = DiscretizedLogistic(np.full(256, 0.3), -3.0)
    exact = numpy(distribution.log_prob(LEVELS))
    half = numpy(distribution.log_prob(LEVELS.astype("float16")))
    np.testing.assert_array_equal(half, exact)


def test_gradient_agrees_with_differences(value_and_gradients):
    mean, log_scale = np.full(5, 0.4), np.full(5, -3.0)
    x = np.array([0, 40, 102, 200, 255]) / 255
    _, gradients = value_and_gradients(
        lambda m, s: DiscretizedLogistic(m, s).log_prob(x), mean, log_scale
    )

    def log_mass(m, s):
        b, a = ((x * 255 + np.array([[0.5], [-0.5]])) / 255 - m) / np.exp(s)
        upper, lower = np.where(x == 1, 1, special.expit(b)), np.where(x == 0, 0, special.expit(a))
        return np.log(upper - lower)

    h = 1e-5
    by_mean = (log_mass(mean + h, log_scale) - log_mass(mean - h, log_scale)) / (2 * h)
    by_scale = (log_mass(mean, log_scale + h) - log_mass(mean, log_scale - h)) / (2 * h)
    np.testing.assert_allclose(gradients[0], by_mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(gradients[1], by_scale, rtol=1e-4, atol=1e-4)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("mean, log_scale", [(0.5, -2.0), (0.05, -3.0), (0.9, 0.0)])
def test_samples_follow_the_masses(mean, log_scale):
    distribution = DiscretizedLogistic(mean, log_scale, num_bins=8, batch_ndims=0)
    draws = numpy(distribution.sample(seed=0, num_samples=10000)) * 7
    np.testing.assert_allclose(draws, np.round(draws), atol=1e-5)
    counts = np.bincount(np.round(draws).astype(int), minlength=8)
    expected = 10000 * np.exp(pmf(mean, log_scale, 8))
    assert stats.chisquare(counts, expected * 10000 / expected.sum()).pvalue > 0.01


def test_mean_is_the_clipped_location_and_mode_the_nearest_level():
    distribution = DiscretizedLogistic([[-0.5, 0.3, 1.5]], -3.0, num_bins=5)
    np.testing.assert_allclose(numpy(distribution.mean), [[0.0, 0.3, 1.0]], rtol=1e-6)
    np.testing.assert_allclose(numpy(distribution.mode), [[0.0, 0.25, 1.0]], rtol=1e-6)


def test_a_single_bin_is_refused():
    with pytest.raises(ValueError, match="num_bins=1"):
        DiscretizedLogistic(np.zeros((1, 1)), 0.0, num_bins=1)
