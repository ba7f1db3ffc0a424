import numpy as np
import pytest
from scipy import special
from scipy import stats

from keras_vae.priors import expectation_maximization
from keras_vae.priors.expectation_maximization import expectation
from keras_vae.priors.expectation_maximization import fit_mixture
from keras_vae.priors.expectation_maximization import initial_mixture
from keras_vae.priors.expectation_maximization import maximization


def test_one_component_is_the_mean_and_variance():
    z = np.random.default_rng(0).normal(size=(50, 3)) * [1.0, 2.0, 3.0] + 100.0
    log_weights, means, variances, log_likelihoods = fit_mixture(z, 1, 10, np.random.default_rng(0))
    assert log_weights == pytest.approx([0.0])
    np.testing.assert_allclose(means[0], z.mean(axis=0))
    np.testing.assert_allclose(variances[0], z.var(axis=0))
    expected = stats.norm.logpdf(z, z.mean(axis=0), z.std(axis=0)).sum(axis=1).mean()
    assert log_likelihoods[-1] == pytest.approx(expected)


def test_e_and_m_step_by_hand(monkeypatch):
    rng = np.random.default_rng(0)
    z, means, variances = rng.normal(size=(7, 2)), rng.normal(size=(3, 2)), np.full((3, 2), 0.5)
    log_weights = np.log([0.2, 0.3, 0.5])
    log_joint = log_weights + stats.norm.logpdf(z[:, None], means, np.sqrt(0.5)).sum(axis=-1)
    r = special.softmax(log_joint, axis=1)
    monkeypatch.setattr(expectation_maximization, "CHUNK_SIZE", 6)  # two rows at once
    statistics = expectation(z, log_weights, means, variances)
    np.testing.assert_allclose(statistics.counts, r.sum(axis=0))
    np.testing.assert_allclose(statistics.sums, r.T @ z)
    np.testing.assert_allclose(statistics.squares, r.T @ z**2)
    expected = special.logsumexp(log_joint, axis=1).mean()
    assert statistics.log_likelihood == pytest.approx(expected)
    log_weights, new_means, new_variances = maximization(statistics, means, variances, 1e-9)
    np.testing.assert_allclose(np.exp(log_weights), r.mean(axis=0))
    for k in range(3):
        np.testing.assert_allclose(new_means[k], np.average(z, axis=0, weights=r[:, k]))
        spread = np.average((z - new_means[k]) ** 2, axis=0, weights=r[:, k])
        np.testing.assert_allclose(new_variances[k], spread)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_components", [2, 5, 30])
def test_log_likelihood_never_falls(num_components):
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(size=(40, 3)), rng.standard_cauchy(size=(40, 3)) + 4])
    z[:10] = z[0]  # a component can shrink onto equal rows, down to the floor
    *_, variances, log_likelihoods = fit_mixture(z, num_components, 60, rng)
    assert (np.diff(log_likelihoods) > -1e-9).all()
    assert (variances >= 0.999 * expectation_maximization.VARIANCE_FLOOR * z.var(axis=0)).all()


def test_a_component_without_rows_stays_where_it_was():
    z = np.zeros((4, 1))
    means, variances = np.array([[0.0], [1e3]]), np.ones((2, 1))
    statistics = expectation(z, np.log([0.5, 0.5]), means, variances)
    log_weights, means, variances = maximization(statistics, means, variances, 0.1)
    np.testing.assert_array_equal(means, [[0.0], [1e3]])
    np.testing.assert_array_equal(variances, [[0.1], [1.0]])
    assert np.isfinite(log_weights).all()
    assert log_weights[0] == 0.0


def test_means_start_at_rows_far_from_each_other():
    rng = np.random.default_rng(0)
    z = np.repeat([[0.0], [100.0], [200.0]], 20, axis=0) + 0.1 * rng.normal(size=(60, 1))
    _, means, variances = initial_mixture(z, 3, 1e-3, rng)
    np.testing.assert_allclose(np.sort(means, axis=0), [[0.0], [100.0], [200.0]], atol=0.5)
    assert (variances < 0.1).all()  # within the clusters


def test_equal_rows_can_be_fitted():
    *parameters, log_likelihoods = fit_mixture(np.ones((5, 2)), 3, 5, np.random.default_rng(0))
    assert all(np.isfinite(p).all() for p in parameters)
    assert np.isfinite(log_likelihoods).all()
