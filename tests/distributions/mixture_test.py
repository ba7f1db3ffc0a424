import math

import numpy as np
import pytest
from keras import ops
from scipy import special
from scipy import stats

from keras_vae.distributions import Bernoulli
from keras_vae.distributions import Categorical
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import DiscretizedLogistic
from keras_vae.distributions import Mixture


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def two_gaussians(logits=(0.0, 0.0), means=(-10.0, 10.0), log_var=0.0):
    components = DiagonalGaussian(np.reshape(means, (2, 1)), log_var)
    return Mixture(logits, components, batch_ndims=0)


def test_log_prob_by_hand():
    # Far from the second mode only the first counts: log 1/4 - log(2 pi) / 2.
    mixture = two_gaussians(logits=np.log([1.0, 3.0]))
    expected = math.log(1 / 4) - 0.5 * math.log(2 * math.pi)
    assert float(mixture.log_prob([-10.0])) == pytest.approx(expected, rel=1e-6)
    # In the middle both count alike, and the weights sum to 1.
    expected = -50 - 0.5 * math.log(2 * math.pi)
    assert float(mixture.log_prob([0.0])) == pytest.approx(expected, rel=1e-6)


def test_log_prob_agrees_with_scipy():
    rng = np.random.default_rng(0)
    logits, means, log_vars = rng.normal(size=6), *rng.normal(size=(2, 6, 3))
    x = rng.normal(size=(20, 3))
    mixture = Mixture(logits, DiagonalGaussian(means, log_vars), batch_ndims=0)
    each = stats.norm.logpdf(x[:, None], means, np.exp(log_vars / 2)).sum(-1)
    expected = special.logsumexp(special.log_softmax(logits) + each, axis=-1)
    np.testing.assert_allclose(numpy(mixture.log_prob(x)), expected, rtol=1e-5)


def test_many_narrow_gaussians_in_50_dimensions_agree_with_scipy():
    rng = np.random.default_rng(0)
    means = rng.uniform(-3, 3, size=(40, 50))
    log_vars = 2 * math.log(0.01) + 0.2 * rng.normal(size=(40, 50))
    x = (means[rng.integers(0, 40, 30)] + 0.01 * rng.normal(size=(30, 50))).astype("float32")
    mixture = Mixture(np.zeros(40), DiagonalGaussian(means, log_vars), batch_ndims=0)
    each = stats.norm.logpdf(x[:, None], means, np.exp(log_vars / 2)).sum(-1)
    expected = special.logsumexp(each, axis=-1) - math.log(40)
    np.testing.assert_allclose(numpy(mixture.log_prob(x)), expected, atol=1e-3)


def test_a_mixture_of_hundreds_takes_hundreds_of_draws_of_a_batch():
    # 20 x 50 x 500 x 40 differences would be 80 MB, and thousands of draws gigabytes.
    mixture = Mixture(np.zeros(500), DiagonalGaussian(np.zeros((500, 40)), 0.0), batch_ndims=0)
    log_prob = numpy(mixture.log_prob(np.zeros((20, 50, 40))))
    np.testing.assert_allclose(log_prob, np.full((20, 50), -20 * math.log(2 * math.pi)), rtol=1e-5)
    assert mixture.sample(seed=0, num_samples=3).shape == (3, 40)


def test_one_component_or_equal_ones_are_that_component():
    rng = np.random.default_rng(0)
    mean, x = rng.normal(size=(2, 4, 3))
    alone = DiagonalGaussian(mean, 0.5)
    for num_components in (1, 3):
        means = np.repeat(mean[:, None], num_components, axis=1)
        components = DiagonalGaussian(means, 0.5, batch_ndims=2)
        mixture = Mixture(rng.normal(size=(4, num_components)), components)
        np.testing.assert_allclose(numpy(mixture.log_prob(x)), numpy(alone.log_prob(x)), rtol=1e-5)
        np.testing.assert_allclose(numpy(mixture.mean), mean, rtol=1e-5)
        np.testing.assert_allclose(numpy(mixture.mode), mean, rtol=1e-6)


def test_each_pixel_has_its_own_mixture_and_its_channels_share_one():
    rng = np.random.default_rng(0)
    logits, mean = rng.normal(size=(2, 3, 4)), rng.uniform(size=(2, 3, 4, 2))
    x = rng.integers(0, 256, (2, 3, 2)) / 255
    components = DiscretizedLogistic(mean, -2.0, batch_ndims=3)
    got = numpy(Mixture(logits, components).log_prob(x))
    expected = np.zeros(2)
    for b, pixel in np.ndindex(2, 3):
        log_masses = [
            float(DiscretizedLogistic(mean[b, pixel, k], -2.0, batch_ndims=0).log_prob(x[b, pixel]))
            for k in range(4)
        ]
        weights = special.softmax(logits[b, pixel])
        expected[b] += np.log(np.sum(weights * np.exp(log_masses)))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_pmf_of_a_mixture_sums_to_one():
    components = DiscretizedLogistic(np.array([[0.1], [0.9]]), np.array([[-4.0], [0.0]]))
    mixture = Mixture([1.0, -1.0], components, batch_ndims=0)
    masses = np.exp(numpy(mixture.log_prob(np.arange(256)[:, None] / 255)))
    assert masses.sum() == pytest.approx(1, abs=1e-6)


def test_mixture_of_bernoullis_by_hand():
    # P(1, 1) = 1/2 (9/16 + 1/16): within a component the bits are independent, together not.
    log_odds = math.log(3.0) * np.array([[1.0, 1.0], [-1.0, -1.0]])
    mixture = Mixture([0.0, 0.0], Bernoulli(log_odds), batch_ndims=0)
    assert float(mixture.log_prob([1, 1])) == pytest.approx(math.log(5 / 16), rel=1e-6)
    np.testing.assert_allclose(numpy(mixture.mean), [0.5, 0.5], rtol=1e-6)


def test_mixture_of_categoricals_is_the_mixed_categorical():
    probs = np.array([[[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]]])  # (B, K, C)
    mixture = Mixture(np.zeros((1, 2)), Categorical(np.log(probs), batch_ndims=2))
    got = np.exp(numpy(mixture.log_prob(np.arange(3)[:, None])))
    np.testing.assert_allclose(got[:, 0], [0.35, 0.25, 0.4], rtol=1e-6)


def test_mode_is_that_of_the_most_probable_component():
    np.testing.assert_array_equal(numpy(two_gaussians((0.0, 1.0)).mode), [10.0])
    np.testing.assert_array_equal(numpy(two_gaussians((1.0, 0.0)).mode), [-10.0])


def test_samples_follow_the_weights_and_the_components():
    mixture = two_gaussians(logits=np.log([1.0, 3.0]), log_var=math.log(4.0))
    draws = numpy(mixture.sample(seed=0, num_samples=10000))[:, 0]
    right = draws > 0
    assert abs(right.mean() - 0.75) < 3 * math.sqrt(0.75 * 0.25 / 10000)
    # Were choice and noise drawn from one seed, each component would see only part of the noise.
    assert stats.kstest(draws[right], stats.norm(10, 2).cdf).pvalue > 0.01
    assert stats.kstest(draws[~right], stats.norm(-10, 2).cdf).pvalue > 0.01


def test_all_elements_of_an_event_come_from_one_component():
    means = np.array([[-10.0, -10.0], [10.0, 10.0]])
    mixture = Mixture([0.0, 0.0], DiagonalGaussian(means, 0.0), batch_ndims=0)
    draws = numpy(mixture.sample(seed=0, num_samples=200))
    assert (np.sign(draws[:, 0]) == np.sign(draws[:, 1])).all()
    assert set(np.sign(draws[:, 0])) == {-1.0, 1.0}


def test_samples_are_differentiable_in_the_components(value_and_gradients):
    def draw(means):
        return Mixture([0.0, 0.0], DiagonalGaussian(means, 0.0), batch_ndims=0).sample(seed=3)

    _, [gradient] = value_and_gradients(draw, [[-10.0], [10.0]])
    assert sorted(gradient.ravel()) == [0.0, 1.0]


def test_components_of_other_axes_are_refused():
    with pytest.raises(ValueError, match="batch axes of `components`"):
        Mixture(np.zeros((2, 5)), DiagonalGaussian(np.zeros((2, 5, 3)), 0.0, batch_ndims=1))
    with pytest.raises(ValueError, match="batch axes of `components`"):
        Mixture(np.zeros((2, 5)), DiagonalGaussian(np.zeros((2, 1, 3)), 0.0, batch_ndims=2))


def test_the_mixture_axis_is_not_a_batch_axis():
    with pytest.raises(ValueError, match=r"`batch_ndims` of a mixture.*\(5,\)"):
        Mixture(np.zeros(5), DiagonalGaussian(np.zeros((5, 3)), 0.0))
