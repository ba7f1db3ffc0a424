import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import kl_divergence
from keras_vae.priors import ConditionalGaussian


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def built(latent_shape=(2,), condition_shape=(3,), **kwargs):
    prior = ConditionalGaussian(**kwargs)
    prior.build(latent_shape, condition_shape)
    return prior


def test_a_linear_map_of_one_hot_labels_is_one_gaussian_a_label():
    prior = built()
    kernel, bias = prior.weights  # (3, 4), (4,)
    table = np.random.default_rng(0).normal(size=(3, 4))
    kernel.assign(table)
    bias.assign(np.arange(4.0))
    rows = table + np.arange(4)
    labels = np.array([2, 0, 2])
    z = np.random.default_rng(1).normal(size=(3, 2))
    got = numpy(prior(np.eye(3)[labels]).log_prob(z))
    mean, log_var = rows[labels, :2], rows[labels, 2:]
    expected = stats.norm.logpdf(z, mean, np.exp(log_var / 2)).sum(axis=1)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("hidden_units", [(), (8,)])
def test_it_starts_near_the_standard_normal_and_depends_on_the_condition(hidden_units):
    prior = built(hidden_units=hidden_units)
    p = prior(np.eye(3))
    kl = numpy(kl_divergence(p, DiagonalGaussian(np.zeros(2), 0.0, batch_ndims=0)))
    assert kl.max() < 0.01
    assert len(np.unique(numpy(p.mean)[:, 0])) == 3


def test_latents_and_conditions_of_several_axes():
    prior = built(latent_shape=(2, 2, 3), condition_shape=(4, 4, 1), hidden_units=(5,))
    p = prior(np.random.default_rng(0).normal(size=(6, 4, 4, 1)))
    assert p.sample(seed=0).shape == (6, 2, 2, 3)
    assert p.log_prob(np.zeros((7, 6, 2, 2, 3))).shape == (7, 6)


def test_a_missing_or_other_condition_is_refused():
    with pytest.raises(ValueError, match=r"needs `condition_shape`.*None"):
        ConditionalGaussian().build((2,))
    prior = built()
    with pytest.raises(ValueError, match=r"Expected: `condition` of shape \('B', 3\).*None"):
        prior()
    with pytest.raises(ValueError, match=r"shape \(3, 2\)"):
        prior(np.zeros((3, 2)))
