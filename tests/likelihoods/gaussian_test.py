import math

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_vae import likelihoods

RNG = np.random.default_rng(0)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def built(likelihood, shape):
    likelihood.build(shape)
    return likelihood


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("sigma", [0.1, 1.0, 3.0])
def test_fixed_sigma(sigma):
    mean, x = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
    expected = stats.norm.logpdf(x, mean, sigma).sum(axis=1)
    for likelihood in (
        likelihoods.GaussianLikelihood(sigma),
        built(likelihoods.LearnedSigmaGaussianLikelihood(sigma), (None, 4)),
    ):
        np.testing.assert_allclose(numpy(likelihood(mean).log_prob(x)), expected, rtol=1e-5)


def test_root_one_half_gives_the_squared_error():
    mean, x = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
    log_prob = numpy(likelihoods.GaussianLikelihood(math.sqrt(0.5))(mean).log_prob(x))
    expected = -np.sum((x - mean) ** 2, axis=1) - 2 * math.log(math.pi)
    np.testing.assert_allclose(log_prob, expected, rtol=1e-5)


def test_learned_sigma_is_one_trainable_float32_number_under_every_policy():
    keras.config.set_dtype_policy("mixed_float16")
    likelihood = built(likelihoods.LearnedSigmaGaussianLikelihood(2.0), (None, 4))
    (weight,) = likelihood.trainable_weights
    assert (weight.shape, weight.dtype) == ((), "float32")
    half = ops.cast(RNG.normal(size=(3, 4)), "float16")
    assert keras.backend.standardize_dtype(likelihood(half).log_prob(half).dtype) == "float32"


def test_per_pixel_sigma_reads_means_then_log_variances():
    parameters, x = RNG.normal(size=(2, 3, 3, 4)), RNG.normal(size=(2, 3, 3, 2))
    mean, log_var = parameters[..., :2], parameters[..., 2:]
    expected = stats.norm.logpdf(x, mean, np.exp(log_var / 2)).sum(axis=(1, 2, 3))
    measured = numpy(likelihoods.PerPixelGaussianLikelihood()(parameters).log_prob(x))
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
def test_scales_must_be_positive(value):
    with pytest.raises(ValueError, match=r"`sigma`.*positive number"):
        likelihoods.GaussianLikelihood(value)


@pytest.mark.one_backend
def test_a_value_range_is_checked_and_kept():
    likelihood = likelihoods.GaussianLikelihood(value_range=(-1, 1))
    likelihood.check(np.array([-1.0, 1.0]))
    with pytest.raises(ValueError, match=r"values in \[-1, 1\].*255 at index \(1,\).*-1 \+ x \* 2"):
        likelihood.check(np.array([0.0, 255.0]))
    again = likelihoods.GaussianLikelihood.from_config(likelihood.get_config())
    assert again.value_range == (-1.0, 1.0)
    likelihoods.GaussianLikelihood().check(np.array([0.0, 255.0]))
    for wrong in ((1, 0), (0, np.inf), 1.0, (0, 1, 2), ("a", "b")):
        with pytest.raises(ValueError, match="`value_range` must"):
            likelihoods.GaussianLikelihood(value_range=wrong)


@pytest.mark.parametrize("sigma", [1e6, 1e-5])
def test_a_fixed_sigma_is_the_one_in_use_however_large_or_small(sigma):
    mean = RNG.normal(size=(3, 4)).astype("float32")
    x = mean + np.float32(sigma)
    p = likelihoods.GaussianLikelihood(sigma)(mean)
    assert float(p.std) == pytest.approx(sigma, rel=1e-5)
    expected = stats.norm.logpdf(x, mean, sigma).sum(axis=1)
    np.testing.assert_allclose(numpy(p.log_prob(x)), expected, rtol=1e-5)


@pytest.mark.one_backend
def test_a_sigma_that_could_not_be_in_use_is_refused():
    for sigma in (1e-16, 1e16):
        with pytest.raises(ValueError, match=r"`sigma` must lie between 1e-15 and 1e\+15.*divided"):
            likelihoods.GaussianLikelihood(sigma)
    for sigma in (4e-5, 1e5):
        with pytest.raises(ValueError, match=r"`initial_sigma` must lie between 4.54e-05 and 2.2e"):
            likelihoods.LearnedSigmaGaussianLikelihood(sigma)


def test_a_learned_sigma_begins_where_it_is_told_and_cannot_explode():
    def sigma_in_use():
        return float(numpy(likelihood(np.zeros((1, 4))).std))

    for sigma in (5e-5, 2e4):
        likelihood = built(likelihoods.LearnedSigmaGaussianLikelihood(sigma), (None, 4))
        assert sigma_in_use() == pytest.approx(sigma, rel=1e-5)
    likelihood.log_sigma.assign(1e4)
    assert sigma_in_use() < 1e7


@pytest.mark.one_backend
def test_advice_names_the_sigma_in_use():
    likelihood = built(likelihoods.LearnedSigmaGaussianLikelihood(), (None, 4))
    likelihood.log_sigma.assign(-20.0)  # e^-20 is 2e-9, and 3.2e-5 what the density bounds it to
    in_use = float(numpy(likelihood(np.zeros((1, 4))).std))
    assert in_use > 1e-6
    with pytest.warns(UserWarning, match=f"sigma begins at {in_use:g}"):
        likelihood.advise(np.array([[0.0, 255.0]]))


@pytest.mark.one_backend
def test_a_value_range_may_be_of_numpy_numbers():
    likelihood = likelihoods.GaussianLikelihood(value_range=(np.float32(0), np.int64(1)))
    assert likelihood.value_range == (0.0, 1.0)
