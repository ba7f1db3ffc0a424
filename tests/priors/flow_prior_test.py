import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_vae.priors import FlowPrior
from keras_vae.priors.flow_prior import MAX_LOG_SCALE


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def perturbed(latent_dim, num_layers=3, std=0.7):
    prior = FlowPrior(num_layers, (6,))
    prior.build((latent_dim,))
    rng = np.random.default_rng(0)
    for weight in prior.weights:
        weight.assign(std * rng.normal(size=weight.shape))
    return prior


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("latent_dim", [2, 3, 5])
def test_log_determinant_is_that_of_the_jacobian(latent_dim):
    prior = perturbed(latent_dim)
    z = np.random.default_rng(1).normal(size=(4, latent_dim))
    step = 1e-2 * np.eye(latent_dim)
    ahead, behind = (numpy(prior.to_noise(z[:, None] + s)[0]) for s in (step, -step))
    jacobians = (ahead - behind) / 2e-2  # (4, D, D), transposed
    _, expected = np.linalg.slogdet(jacobians.astype("float64"))
    np.testing.assert_allclose(numpy(prior.to_noise(z)[1]), expected, atol=5e-3)
    assert np.abs(expected).min() > 0.01  # not the identity


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("latent_dim", [2, 3, 8])
def test_there_and_back(latent_dim):
    prior = perturbed(latent_dim, num_layers=4)
    z = np.random.default_rng(1).normal(size=(2, 5, latent_dim))
    e, log_det = prior.to_noise(z)
    assert e.shape == z.shape
    assert log_det.shape == (2, 5)
    np.testing.assert_allclose(numpy(prior.to_latent(e)), z, atol=1e-4)
    assert np.abs(numpy(e) - z).max(axis=(0, 1)).min() > 0.01  # every dimension is moved


def test_it_starts_as_the_standard_normal():
    prior = FlowPrior()
    prior.build((5,))
    z = np.random.default_rng(0).normal(size=(7, 5))
    np.testing.assert_allclose(
        numpy(prior().log_prob(z)), stats.norm.logpdf(z).sum(axis=1), rtol=1e-5
    )
    np.testing.assert_array_equal(numpy(prior().sample(seed=3)), numpy(prior().base.sample(seed=3)))


def test_a_layer_scales_by_a_bounded_factor():
    prior = perturbed(4, num_layers=1, std=1e3)
    z = np.random.default_rng(0).normal(size=(50, 4))
    log_det = numpy(prior.to_noise(z)[1])
    assert np.abs(log_det).max() == pytest.approx(2 * MAX_LOG_SCALE, rel=1e-3)
    assert np.isfinite(numpy(prior().log_prob(z))).all()


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("latent_shape", [(1,), (2, 2, 3), ()])
def test_latents_without_two_halves_are_refused(latent_shape):
    with pytest.raises(ValueError, match="FlowPrior couples two halves"):
        FlowPrior().build(latent_shape)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="`num_layers`"):
        FlowPrior(num_layers=0)
    with pytest.raises(ValueError, match="`hidden_units`"):
        FlowPrior(hidden_units=64)
