import math

import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Distribution
from keras_vae.distributions import StandardGaussian
from keras_vae.distributions import kl_divergence
from keras_vae.distributions import kl_per_dimension


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_log_prob_by_hand():
    # sigma = 2, (3 - 1) / 2 = 1 standard deviation off, twice: -2 (1/2 + log 2 + log(2 pi) / 2)
    gaussian = DiagonalGaussian([[1.0, 1.0]], 2 * math.log(2.0))
    expected = -1 - 2 * math.log(2) - math.log(2 * math.pi)
    assert float(gaussian.log_prob([[3.0, -1.0]])[0]) == pytest.approx(expected, rel=1e-6)


def test_log_prob_agrees_with_scipy():
    rng = np.random.default_rng(0)
    mean, log_var, x = rng.normal(size=(3, 50, 8)) * 3
    got = numpy(DiagonalGaussian(mean, log_var, batch_ndims=2).log_prob(x))
    np.testing.assert_allclose(got, stats.norm.logpdf(x, mean, np.exp(log_var / 2)), 1e-5, 1e-5)
    covariance = np.diag(np.exp(log_var[0]))
    expected = stats.multivariate_normal.logpdf(x[0], mean[0], covariance)
    got = numpy(DiagonalGaussian(mean, log_var).log_prob(x))
    np.testing.assert_allclose(got[0], expected, rtol=1e-5)


def test_one_sigma_equals_the_same_sigma_everywhere():
    rng = np.random.default_rng(0)
    mean, x = rng.normal(size=(2, 5, 4, 3))
    shared, full = DiagonalGaussian(mean, -1.5), DiagonalGaussian(mean, np.full((5, 4, 3), -1.5))
    np.testing.assert_allclose(numpy(shared.log_prob(x)), numpy(full.log_prob(x)), rtol=1e-6)
    np.testing.assert_array_equal(numpy(shared.sample(seed=1)), numpy(full.sample(seed=1)))
    np.testing.assert_allclose(numpy(full.std), np.exp(-0.75), rtol=1e-6)


def test_best_shared_variance_is_the_mean_square_error(value_and_gradients):
    rng = np.random.default_rng(0)
    mean, x = rng.normal(size=(2, 64, 10))
    best = np.log(np.mean((x - mean) ** 2))
    _, [slope] = value_and_gradients(lambda v: DiagonalGaussian(mean, v).log_prob(x), best)
    assert abs(slope) < 1e-3  # of a sum over 640 elements, each with curvature 1/2


def test_samples_are_reparameterised(value_and_gradients):
    mean, log_var = np.array([[1.0, -2.0, 0.5]]), np.array([[0.0, 1.0, -3.0]])
    draw = numpy(DiagonalGaussian(mean, log_var).sample(seed=5))
    noise = (draw - mean) / np.exp(log_var / 2)
    _, gradients = value_and_gradients(
        lambda m, v: DiagonalGaussian(m, v).sample(seed=5), mean, log_var
    )
    np.testing.assert_allclose(gradients[0], 1.0)
    np.testing.assert_allclose(gradients[1], noise * np.exp(log_var / 2) / 2, rtol=1e-4)


def test_samples_are_normal():
    draws = numpy(DiagonalGaussian([[1.0]], [[math.log(4.0)]]).sample(seed=0, num_samples=4000))
    assert stats.kstest(draws.ravel(), stats.norm(1.0, 2.0).cdf).pvalue > 0.01


def test_kl_to_the_standard_normal_by_hand():
    # mean 1, variance e: (e - 1 - 1 + 1) / 2
    q = DiagonalGaussian([[1.0], [0.0]], [[1.0], [0.0]])
    kl = numpy(kl_divergence(q, DiagonalGaussian([0.0], 0.0, batch_ndims=0)))
    np.testing.assert_allclose(kl, [(math.e - 1) / 2, 0.0], rtol=1e-6)


def test_kl_agrees_with_the_formula_in_float64():
    rng = np.random.default_rng(0)
    m_q, v_q, m_p, v_p = rng.normal(size=(4, 100, 6))
    expected = 0.5 * (v_p - v_q + (np.exp(v_q) + (m_q - m_p) ** 2) / np.exp(v_p) - 1)
    q, p = DiagonalGaussian(m_q, v_q), DiagonalGaussian(m_p, v_p)
    np.testing.assert_allclose(numpy(kl_per_dimension(q, p)), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(numpy(kl_divergence(q, p)), expected.sum(-1), rtol=1e-5)


def test_a_small_kl_keeps_its_digits():
    # Variances e^d apart: KL = d^2 / 4 - ..., far below the last digit of exp(d) - 1 - d.
    q = DiagonalGaussian(np.zeros((1, 1)), 1e-4)
    kl = float(kl_divergence(q, DiagonalGaussian([0.0], 0.0, batch_ndims=0))[0])
    assert kl == pytest.approx(2.5e-9, abs=5e-12)


def test_kl_broadcasts_over_draws_and_examples():
    q = DiagonalGaussian(np.ones((5, 4, 3)), 0.0, batch_ndims=2)
    p = DiagonalGaussian(np.zeros((4, 3)), 0.0, batch_ndims=1)
    np.testing.assert_allclose(numpy(kl_divergence(q, p)), np.full((5, 4), 1.5))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("sigma", [1.0, 0.1, 0.01])
def test_log_prob_of_each_agrees_with_scipy_in_50_dimensions(sigma):
    rng = np.random.default_rng(0)
    mean = rng.uniform(-3, 3, size=(20, 50)) + 5  # far from the origin
    std = sigma * np.exp(0.1 * rng.normal(size=(20, 50)))
    x = (mean + sigma * rng.normal(size=(3, 20, 50))).astype("float32")  # each near its own
    got = numpy(DiagonalGaussian(mean, 2 * np.log(std)).log_prob_of_each(x))
    assert got.shape == (3, 20, 20)
    expected = stats.norm.logpdf(x[:, :, None], mean, std).sum(-1)
    np.testing.assert_allclose(got, expected, rtol=1e-4)
    likeliest = np.arange(20)
    np.testing.assert_array_equal(got.argmax(-1), np.tile(likeliest, (3, 1)))
    own, expected = (values[:, likeliest, likeliest] for values in (got, expected))
    np.testing.assert_allclose(own, expected, atol=1e-3)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("log_var_shape", [(6, 3), (3,), ()])
def test_log_prob_of_each_and_its_gradient_are_those_of_the_differences(
    log_var_shape, value_and_gradients
):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) for s in [(2, 4, 3), (6, 3), log_var_shape]]
    weights = ops.convert_to_tensor(rng.normal(size=(2, 4, 6)), "float32")

    def by(method):
        return value_and_gradients(
            lambda x, mean, log_var: method(DiagonalGaussian(mean, log_var), x) * weights, *arrays
        )

    value, gradients = by(DiagonalGaussian.log_prob_of_each)
    expected_value, expected = by(Distribution.log_prob_of_each)
    assert value == pytest.approx(expected_value, rel=1e-4)
    for got, gradient in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(got, gradient, rtol=1e-4, atol=1e-4)


def test_log_prob_of_each_of_a_single_x_and_of_events_of_two_axes():
    mean = np.random.default_rng(0).normal(size=(6, 3, 2))
    flat = DiagonalGaussian(mean.reshape(6, 6), 0.5)
    expected = stats.norm.logpdf(1.0, mean, np.exp(0.25)).sum((1, 2))
    np.testing.assert_allclose(numpy(flat.log_prob_of_each(np.ones(6))), expected, rtol=1e-5)
    got = numpy(DiagonalGaussian(mean, 0.5).log_prob_of_each(np.ones((3, 2))))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_log_prob_of_each_stays_finite_for_parameters_up_to_1e4(value_and_gradients):
    rng = np.random.default_rng(0)
    values = [-1e4, -300.0, -20.0, -1.0, 0.0, 1.0, 20.0, 300.0, 1e4]
    arrays = [rng.choice(values, size) for size in [(5, 3), (6, 3), (6, 3)]]
    value, gradients = value_and_gradients(
        lambda x, mean, log_var: DiagonalGaussian(mean, log_var).log_prob_of_each(x), *arrays
    )
    assert np.isfinite(value)
    assert all(np.isfinite(g).all() for g in gradients)


def test_a_log_var_of_more_axes_than_the_mean_is_refused():
    with pytest.raises(ValueError, match=r"`log_var` must broadcast.*\(3,\).*\(2, 3\)"):
        DiagonalGaussian(np.zeros(3), np.zeros((2, 3)), batch_ndims=0)


def test_the_standard_gaussian_is_the_one_of_zeros():
    q = DiagonalGaussian([[1.0, -2.0], [25.0, 1e-4]], [[0.5, -3.0], [0.0, 22.0]])
    standard, zeros = StandardGaussian((2,)), DiagonalGaussian([0.0, 0.0], [0.0, 0.0], 0)
    for function in (
        lambda p: kl_divergence(q, p),
        lambda p: p.log_prob(q.mean),
        lambda p: p.sample(1, 5),
        lambda p: p.std,
    ):
        np.testing.assert_allclose(numpy(function(standard)), numpy(function(zeros)), 1e-6)


def test_tensors_are_bounded_and_numbers_are_not():
    for number in (30.0, -30, np.float32(30)):
        assert float(DiagonalGaussian([[1.0]], number).log_var) == float(number)
        bounded = DiagonalGaussian([[1.0]], ops.convert_to_tensor(number, "float32")).log_var
        assert abs(float(bounded)) == pytest.approx(20 + math.log(11), rel=1e-6)
