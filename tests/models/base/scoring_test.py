import numpy as np
import pytest
from families import BY_NAME
from keras import ops
from linear_gaussian import linear_gaussian_vae
from linear_gaussian import log_marginal

from keras_vae.models.base.scoring import shared_noise

X = np.random.default_rng(0).standard_normal((7, 6)).astype("float32")


@pytest.fixture(scope="module")
def exact():
    """A linear-Gaussian VAE with nearly its exact posterior, and log p(x) of X."""
    model, parameters = linear_gaussian_vae(posterior_error=0.1)
    return model, log_marginal(X, parameters)


def test_likelihood_agrees_with_the_closed_form(exact):
    model, expected = exact
    np.testing.assert_allclose(model.score(X, num_samples=2000), expected, atol=0.01)


def test_bound_lies_below_the_likelihood_and_near_it(exact):
    model, expected = exact
    bound = model.score(X, method="bound", num_samples=20_000)
    gap = 3 * 0.5 * (np.exp(0.1) - 1 - 0.1)  # KL(q || p(z|x)), of 3 dimensions
    np.testing.assert_allclose(bound, expected - gap, atol=0.03)


@pytest.mark.parametrize("method", ["likelihood", "bound"])
def test_a_row_is_scored_alike_alone_and_in_any_company(exact, method):
    model, _ = exact
    together = model.score(X, method=method)
    alone = np.concatenate([model.score(X[i : i + 1], method=method) for i in range(len(X))])
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    np.testing.assert_allclose(model.score(X[::-1], method=method)[::-1], together, rtol=1e-5)
    np.testing.assert_array_equal(model.score(X, method=method), together)


def test_draws_decoded_in_parts_are_those_decoded_at_once(exact, monkeypatch):
    model, _ = exact
    at_once = model.score(X, num_samples=9)
    monkeypatch.setattr("keras_vae.models.base.importance_sampling.MAX_CHUNK", 4)
    np.testing.assert_allclose(model.score(X, num_samples=9), at_once, rtol=1e-5)


def test_scores_of_features_sum_to_the_bound_without_its_kl(exact):
    model, _ = exact
    per_feature = model.score_per_feature(X, num_samples=50)
    assert per_feature.shape == X.shape
    kl = ops.convert_to_numpy(model.terms(ops.convert_to_tensor(X))["kl"])
    bound = model.score(X, method="bound", num_samples=50)
    np.testing.assert_allclose(per_feature.sum(axis=1) - kl, bound, rtol=1e-4)


def test_a_damaged_pixel_has_the_lowest_score_of_the_map(exact):
    model, _ = exact
    x = ops.convert_to_numpy(model(X)).copy()
    x[2, 4] += 20
    worst = model.score_per_feature(x)[2].argmin()
    assert worst == 4


def test_noise_comes_in_opposite_pairs():
    noise = shared_noise(5, (3,), seed=1)
    np.testing.assert_array_equal(noise[0], -noise[1])
    np.testing.assert_array_equal(noise, shared_noise(6, (3,), seed=1)[:5])


@pytest.mark.parametrize("name", ["conditional_iwae", "cvae"])
def test_conditions_are_taken(name):
    family = BY_NAME[name]
    model = family.model()
    x, y = family.pairs()
    assert np.isfinite(model.score(x, y)).all()
    assert model.score_per_feature(x, y).shape == x.shape


@pytest.mark.one_backend
def test_families_without_draws_give_their_likelihood():
    family = BY_NAME["vqvae"]
    model = family.model()
    np.testing.assert_allclose(model.score(family.data()), model.log_likelihood(family.data()))
    with pytest.raises(ValueError, match=r"`method`.*bound"):
        model.score(family.data(), method="likelihood")


@pytest.mark.one_backend
def test_what_cannot_be_scored(exact):
    model, _ = exact
    with pytest.raises(ValueError, match=r"`method` must be one of"):
        model.score(X, method="elbo")
    with pytest.raises(ValueError, match=r"`num_samples`"):
        model.score(X, num_samples=0)
    hierarchical = BY_NAME["hierarchical_vae"]
    with pytest.raises(NotImplementedError, match="log_likelihood"):
        hierarchical.model().score(hierarchical.data())
