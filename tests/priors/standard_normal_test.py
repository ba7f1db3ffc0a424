import keras
import numpy as np
import pytest
from scipy import stats

from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import kl_divergence
from keras_vae.priors import StandardNormal


def test_density_samples_and_kl():
    prior = StandardNormal()
    prior.build((3,))
    z = np.random.default_rng(0).normal(size=(5, 3))
    log_prob = keras.ops.convert_to_numpy(prior().log_prob(z))
    np.testing.assert_allclose(log_prob, stats.norm.logpdf(z).sum(axis=1), rtol=1e-5)
    drawn = keras.ops.convert_to_numpy(prior().sample(seed=0, num_samples=20_000))
    assert drawn.shape == (20_000, 3)
    assert np.abs(drawn.mean(axis=0)).max() < 4 / np.sqrt(20_000)
    assert np.abs(drawn.var(axis=0) - 1).max() < 4 * np.sqrt(2 / 20_000)
    posterior = DiagonalGaussian(np.array([[1.0, -2.0, 0.0]]), np.zeros((1, 3)))
    np.testing.assert_allclose(kl_divergence(posterior, prior()), [2.5], rtol=1e-6)


def test_spatial_latents():
    prior = StandardNormal()
    prior.build((2, 2, 4))
    assert prior().sample(seed=0, num_samples=3).shape == (3, 2, 2, 4)
    np.testing.assert_allclose(
        prior().log_prob(np.zeros((1, 2, 2, 4))), [-8 * np.log(2 * np.pi)], rtol=1e-6
    )


def test_maps_of_any_size():
    prior, of_one_size = StandardNormal(), StandardNormal()
    prior.build((None, None, 4))
    of_one_size.build((3, 2, 4))
    z = np.random.default_rng(0).normal(size=(5, 3, 2, 4))
    posterior = DiagonalGaussian(z, 0.5 * z)
    np.testing.assert_allclose(prior().log_prob(z), of_one_size().log_prob(z), rtol=1e-6)
    np.testing.assert_allclose(
        kl_divergence(posterior, prior()), kl_divergence(posterior, of_one_size()), rtol=1e-6
    )
    assert prior.over((3, 2, 4)).sample(seed=0, num_samples=5).shape == (5, 3, 2, 4)
    with pytest.raises(ValueError, match=r"prior\.over"):
        prior().sample(seed=0, num_samples=5)
