import numpy as np
import pytest
from scipy import special
from scipy import stats

from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Mixture
from keras_vae.evaluation import aggregate_posterior
from keras_vae.evaluation.aggregate_posterior import draw_posteriors
from keras_vae.evaluation.aggregate_posterior import log_mixture

pytestmark = pytest.mark.compiled_once


@pytest.fixture(scope="module")
def mixture():
    rng = np.random.default_rng(0)
    mean, log_var = rng.standard_normal((30, 4)), rng.standard_normal((30, 4))
    return rng.standard_normal((50, 2, 4)), mean, log_var


def test_log_mixture_is_scipys(mixture):
    z, mean, log_var = mixture
    log_n = stats.norm.logpdf(z[..., None, :], mean, np.exp(log_var / 2)).sum(axis=-1)
    expected = special.logsumexp(log_n, axis=-1) - np.log(len(mean))
    np.testing.assert_allclose(log_mixture(z, mean, log_var), expected, rtol=1e-12)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("numbers", [1, 30, 200, 10**6])
def test_tiles_change_nothing(mixture, numbers, monkeypatch):
    whole = log_mixture(*mixture)
    monkeypatch.setattr(aggregate_posterior, "MAX_NUMBERS", numbers)
    np.testing.assert_allclose(log_mixture(*mixture), whole, rtol=1e-13)


def test_narrow_components_lose_no_digits():
    mean = np.array([[3.0], [-3.0]])
    log_var = np.full((2, 1), -18.0)
    z = mean + 2 * np.exp(log_var / 2)
    expected = stats.norm.logpdf(2.0) + 9 - np.log(2)
    np.testing.assert_allclose(log_mixture(z, mean, log_var), [expected, expected], atol=1e-5)


def test_draws_have_the_moments_and_densities_of_the_posteriors(vae_with_posterior):
    kernel, log_var = [[1.0, 0.0], [0.5, -2.0]], [-1.0, 0.5]
    model = vae_with_posterior(kernel, log_var)
    x = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 1.0]], "float32")
    draws = draw_posteriors(model, x, num_samples=20_000, seed=0)
    std = np.exp(np.array(log_var) / 2)
    np.testing.assert_allclose(draws.z.mean(axis=1), x @ np.array(kernel), atol=0.05)
    np.testing.assert_allclose(draws.z.std(axis=1), np.tile(std, (3, 1)), rtol=0.02)
    expected = stats.norm.logpdf(draws.z, draws.mean[:, None], std).sum(axis=-1)
    np.testing.assert_allclose(draws.log_posterior(), expected, rtol=1e-6)
    by_dimension = sum(
        log_mixture(draws.z[..., [j]], draws.mean[:, [j]], draws.log_var[:, [j]]) for j in (0, 1)
    )
    np.testing.assert_allclose(draws.log_marginals(), by_dimension)


def test_kl_is_in_closed_form_where_there_is_one_and_else_estimated(vae_with_posterior):
    model = vae_with_posterior([[1.0, 0.5]], [-1.0, 0.0])
    x = np.array([[1.0], [-2.0]], "float32")
    draws = draw_posteriors(model, x, num_samples=4000, seed=0)
    mean, log_var = draws.mean, np.array([-1.0, 0.0])
    exact = 0.5 * np.sum(np.exp(log_var) - 1 - log_var + mean**2, axis=1)
    np.testing.assert_allclose(draws.kl(model), exact, rtol=1e-6)

    def same_prior_as_a_mixture(condition=None):
        return Mixture(np.zeros(1), DiagonalGaussian(np.zeros((1, 2)), 0.0), batch_ndims=0)

    model.prior_given = same_prior_as_a_mixture
    estimate = draws.kl(model)
    error = (draws.log_posterior() - stats.norm.logpdf(draws.z).sum(axis=-1)).std() / 4000**0.5
    np.testing.assert_allclose(estimate, exact, atol=5 * error)
    assert np.abs(estimate - exact).max() > 1e-6


def test_seed_repeats_and_none_does_not(vae_with_posterior):
    model = vae_with_posterior([[1.0]], [0.0])
    x = np.ones((3, 1), "float32")
    first, again, other = (draw_posteriors(model, x, 2, seed=s).noise for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()
    fresh = [draw_posteriors(model, x, 2).noise for _ in range(2)]
    assert (fresh[0] != fresh[1]).all()


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_samples", [0, 1.5, True])
def test_bad_number_of_samples(vae_with_posterior, num_samples):
    model = vae_with_posterior([[1.0]], [0.0])
    with pytest.raises(ValueError, match=r"`num_samples`.*positive integer"):
        draw_posteriors(model, np.ones((3, 1)), num_samples)


def test_one_example_has_no_aggregate(vae_with_posterior):
    model = vae_with_posterior([[1.0]], [0.0])
    with pytest.raises(ValueError, match=r"`x`.*at least two examples"):
        draw_posteriors(model, np.ones((1, 1)), 1)


def test_other_posteriors_are_refused(vae_with_posterior):
    model = vae_with_posterior([[1.0]], [0.0])
    gaussian = model.encode

    def mixture_of_one(x):
        mean = gaussian(x).mean  # (B, 1)
        return Mixture(0 * mean, DiagonalGaussian(mean[:, None], 0.0, batch_ndims=2))

    model.encode = mixture_of_one
    with pytest.raises(ValueError, match=r"q\(z\|x\) must be a DiagonalGaussian.* Mixture"):
        draw_posteriors(model, np.ones((2, 1)), 1)
