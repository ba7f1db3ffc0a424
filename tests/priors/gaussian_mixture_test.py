import keras
import numpy as np
import pytest
from keras import ops
from scipy import special
from scipy import stats

import keras_vae
from keras_vae.priors import GaussianMixture


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def two_clusters(num_latents=4000):
    """Latents of 1/4 N((-2, 1), (0.5^2, 1)) + 3/4 N((2, 0), (1, 0.3^2)), far from the origin."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=(num_latents // 4, 2)) * [0.5, 1.0] + [-2.0, 1.0]
    second = rng.normal(size=(num_latents - len(first), 2)) * [1.0, 0.3] + [2.0, 0.0]
    return np.concatenate([first, second]) + 5.0


def test_density_agrees_with_scipy():
    prior = GaussianMixture(3)
    prior.build((2,))
    rng = np.random.default_rng(0)
    logits, means, log_vars = rng.normal(size=3), *rng.normal(size=(2, 3, 2))
    for weight, value in zip(prior.weights, (logits, means, log_vars), strict=True):
        weight.assign(value)
    z = rng.normal(size=(10, 2))
    each = stats.norm.logpdf(z[:, None], means, np.exp(log_vars / 2)).sum(axis=-1)
    expected = special.logsumexp(special.log_softmax(logits) + each, axis=1)
    np.testing.assert_allclose(numpy(prior().log_prob(z)), expected, rtol=1e-5)


def test_means_start_spread_by_the_global_seed():
    starts = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        prior = GaussianMixture(200, initial_std=3.0)
        prior.build((5,))
        starts.append(numpy(prior.means))
    np.testing.assert_array_equal(starts[0], starts[1])
    assert (starts[0] != starts[2]).all()
    assert starts[0].std() == pytest.approx(3.0, rel=0.1)
    np.testing.assert_array_equal(numpy(prior().log_weights), np.full(200, -np.log(200.0), "f4"))


def test_fit_recovers_two_gaussians_and_builds_the_prior():
    prior = GaussianMixture(2)
    log_likelihoods = prior.fit(two_clusters())
    order = np.argsort(numpy(prior.means)[:, 0])
    weights = np.exp(numpy(prior().log_weights))[order]
    stds = np.exp(numpy(prior.log_vars) / 2)[order]
    # Four standard errors: sqrt(p (1 - p) / N), sigma / sqrt(n), sigma / sqrt(2 n).
    np.testing.assert_allclose(weights, [0.25, 0.75], atol=0.03)
    np.testing.assert_allclose(numpy(prior.means)[order], [[3, 6], [7, 5]], atol=0.13)
    np.testing.assert_allclose(stds, [[0.5, 1.0], [1.0, 0.3]], atol=0.09)
    assert (np.diff(log_likelihoods) >= 0).all()
    density = numpy(prior().log_prob(two_clusters())).mean()
    assert log_likelihoods[-1] == pytest.approx(density, abs=1e-4)


def test_fit_is_reproducible_and_takes_spatial_latents():
    z = np.random.default_rng(0).normal(size=(40, 2, 2, 1))
    priors = [GaussianMixture(3) for _ in range(2)]
    histories = [prior.fit(z, num_iterations=4, seed=1) for prior in priors]
    assert histories[0] == histories[1]
    assert len(histories[0]) <= 5
    assert priors[0].means.shape == (3, 2, 2, 1)
    assert priors[0]().log_prob(z).shape == (40,)


def test_fitted_to_the_latents_of_a_model_it_comes_closer_to_them():
    networks = keras_vae.MLPEncoder((6,), 2, (8,)), keras_vae.MLPDecoder((6,), 2, (8,))
    model = keras_vae.VAE(*networks, seed=0)
    model.encoder.get_layer("z_mean").bias.assign([3.0, -3.0])  # far from N(0, I)
    x = np.random.default_rng(0).integers(0, 2, (200, 6)).astype("float32")
    prior = GaussianMixture(3)
    prior.fit(model.encode(x).sample(seed=0))
    fitted = keras_vae.VAE(model.encoder, model.decoder, model.likelihood, prior=prior, seed=0)
    before, after = (m.evaluate(x, verbose=0, return_dict=True) for m in (model, fitted))
    assert after["kl"] < before["kl"] - 3
    assert after["reconstruction"] == pytest.approx(before["reconstruction"])
    assert np.isfinite(fitted.sample(4, seed=0)).all()


def test_latents_that_cannot_be_fitted_are_refused():
    prior = GaussianMixture(5)
    with pytest.raises(ValueError, match=r"each of the 5.*\(4, 2\)"):
        prior.fit(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="not finite"):
        prior.fit(np.full((9, 2), np.nan))
    with pytest.raises(ValueError, match=r"Expected: shape \(N, D\)"):
        prior.fit(np.zeros(9))
    prior.build((3,))
    with pytest.raises(ValueError, match=r"Expected: shape \('N', 3\)"):
        prior.fit(np.zeros((9, 2)))


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="`num_components`"):
        GaussianMixture(0)
    with pytest.raises(ValueError, match="`initial_std` must be positive"):
        GaussianMixture(2, initial_std=0.0)


def test_the_fitted_prior_has_the_likelihood_that_the_fit_returned():
    z = np.random.default_rng(0).normal(size=(200, 2)) * [1.0, 0.0] + [0.0, 3.0]  # one is constant
    prior = GaussianMixture(2)
    expected = prior.fit(z)[-1]
    assert numpy(prior().log_prob(z)).mean() == pytest.approx(expected, rel=1e-3)
