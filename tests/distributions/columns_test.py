import numpy as np
import pytest
from keras import ops

from keras_vae.distributions import Bernoulli
from keras_vae.distributions import Columns
from keras_vae.distributions import DiagonalGaussian


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def columns(batch=3):
    rng = np.random.default_rng(0)
    gaussian = DiagonalGaussian(rng.normal(size=(batch, 2)), 0.5)
    bernoulli = Bernoulli(rng.normal(size=(batch, 1)))
    return gaussian, bernoulli, Columns([([0, 2], gaussian), ([1], bernoulli)])


def test_every_column_has_its_own_log_prob():
    gaussian, bernoulli, both = columns()
    x = np.array([[0.3, 1.0, -2.0]] * 3)
    expected = numpy(gaussian.log_prob(x[:, [0, 2]])) + numpy(bernoulli.log_prob(x[:, [1]]))
    np.testing.assert_allclose(numpy(both.log_prob(x)), expected, rtol=1e-5)
    assert not both.is_discrete


def test_means_stand_in_the_order_of_the_columns():
    gaussian, bernoulli, both = columns()
    np.testing.assert_allclose(numpy(both.mean)[:, [0, 2]], numpy(gaussian.mean))
    np.testing.assert_allclose(numpy(both.mean)[:, [1]], numpy(bernoulli.mean))


def test_draws_of_several_rows():
    _, bernoulli, both = columns()
    draws = numpy(both.sample(seed=0, num_samples=4000))
    assert draws.shape == (4000, 3, 3)
    np.testing.assert_allclose(draws.mean(axis=0)[:, 1:2], numpy(bernoulli.mean), atol=0.05)
    assert draws[..., 0].std() == pytest.approx(np.sqrt(np.exp(0.5) + 0.3), abs=0.6)
