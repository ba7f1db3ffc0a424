import math
import warnings

import keras
import numpy as np
import pytest

from keras_vae import evaluation
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Mixture


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).standard_normal((100, 2)).astype("float32")


def test_a_collapsed_posterior_has_no_kl_at_all(vae_with_posterior, x):
    model = vae_with_posterior(np.zeros((2, 3)), np.zeros(3))
    for split in (evaluation.kl_split(model, x), evaluation.total_correlation_split(model, x)):
        np.testing.assert_allclose(split[:-2], 0.0, atol=1e-12)
        np.testing.assert_allclose(list(split.standard_errors.values()), 0.0, atol=1e-12)
        assert split.num_examples == 100


def test_the_same_posterior_for_all_has_an_aggregate_kl_and_no_information(vae_with_posterior):
    model = vae_with_posterior(np.ones((1, 2)), np.full(2, -1.0))
    split = evaluation.kl_split(model, np.full((50, 1), 2.0))
    by_hand = 0.5 * 2 * (math.exp(-1) + 1 - 1 + 4)
    np.testing.assert_allclose(split[:3], [by_hand, 0.0, by_hand], rtol=1e-6, atol=1e-12)


def test_posteriors_far_apart_have_log_n_of_information(vae_with_posterior):
    model = vae_with_posterior([[100.0]], [0.0])
    with pytest.warns(UserWarning, match=r"near its bound log\(50\) = 3.91"):
        information = evaluation.mutual_information(model, np.arange(50.0)[:, None])
    assert abs(information - math.log(50)) < 1e-9


def test_a_case_of_two_posteriors_agrees_with_numerical_integration(vae_with_posterior):
    mean, log_var = 0.8, -0.5
    grid = np.linspace(-8, 8, 4001)

    def log_normal(m, v):
        return -0.5 * ((grid - m) ** 2 / v + np.log(2 * np.pi * v))

    log_posterior = log_normal(mean, math.exp(log_var))
    log_aggregate = np.logaddexp(log_posterior, log_normal(-mean, math.exp(log_var))) - np.log(2)

    def expected(density, log_ratio):
        return np.sum(np.exp(density) * log_ratio) * (grid[1] - grid[0])

    model = vae_with_posterior([[mean]], [log_var])
    many = np.tile([[1.0], [-1.0]], (500, 1))  # the same q(z), and errors that can be told
    split = evaluation.kl_split(model, many, num_samples=5)
    by_hand = {
        "kl": 0.5 * (math.exp(log_var) - 1 - log_var + mean**2),
        "mutual_information": expected(log_posterior, log_posterior - log_aggregate),
        "aggregate_kl": expected(log_aggregate, log_aggregate - log_normal(0, 1)),
    }
    for name, value in by_hand.items():
        error = split.standard_errors[name]
        assert error < 0.01
        assert abs(getattr(split, name) - value) < 4 * error + 1e-6
    # In one dimension there is nothing to correlate.
    total = evaluation.total_correlation_split(model, many, num_samples=5)
    assert total.total_correlation == 0
    assert total.dimension_wise_kl == split.aggregate_kl


def test_total_correlation_of_copies_of_one_code(vae_with_posterior):
    # z_1 and z_2 tell +1 from -1 alike: q(z_1, z_2) has log 2 less entropy than its marginals.
    model = vae_with_posterior([[1.0, 1.0]], [-6.0, -6.0])
    x = np.tile([[1.0], [-1.0]], (50, 1))
    split = evaluation.total_correlation_split(model, x)
    assert abs(split.total_correlation - math.log(2)) < 1e-9
    assert abs(split.mutual_information - math.log(2)) < 1e-9


def test_the_parts_sum_to_the_kl_of_evaluate(vae_with_posterior, x):
    model = vae_with_posterior([[1.0, 0.2, 0.0], [0.3, -1.0, 0.5]], [-1.0, -0.5, 0.3])
    model.compile("sgd")
    kl = model.evaluate(x, batch_size=100, return_dict=True, verbose=0)["kl"]
    split = evaluation.kl_split(model, x)
    total = evaluation.total_correlation_split(model, x)
    assert abs(split.kl - kl) < 1e-5
    assert abs(split.mutual_information + split.aggregate_kl - split.kl) < 1e-12
    parts = total.mutual_information + total.total_correlation + total.dimension_wise_kl
    assert abs(parts - total.kl) < 1e-12
    assert total.kl == split.kl
    assert total.mutual_information == split.mutual_information
    assert total.mutual_information == evaluation.mutual_information(model, x)
    assert total.total_correlation > 0.05


def test_seed_repeats_and_leaves_the_models_noise_alone(vae_with_posterior, x):
    model = vae_with_posterior([[1.0], [0.5]], [-1.0])
    before = keras.ops.convert_to_numpy(model.noise.evaluation_stream.state)
    first, again, other = (evaluation.kl_split(model, x, seed=s) for s in (3, 3, 4))
    assert first == again
    assert first.mutual_information != other.mutual_information
    after = keras.ops.convert_to_numpy(model.noise.evaluation_stream.state)
    np.testing.assert_array_equal(before, after)


def test_no_warning_far_from_the_bound(vae_with_posterior, x):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        evaluation.kl_split(vae_with_posterior([[1.0], [0.5]], [0.0]), x)


def test_a_prior_with_dependent_dimensions_splits_in_two_only(vae_with_posterior, x):
    model = vae_with_posterior([[1.0, 0.0], [0.5, 1.0]], [-1.0, 0.0])
    means = np.array([[1.0, 1.0], [-1.0, -1.0]])
    model.prior_given = lambda c: Mixture(np.zeros(2), DiagonalGaussian(means, 0.0), batch_ndims=0)
    split = evaluation.kl_split(model, x, num_samples=3)
    assert abs(split.mutual_information + split.aggregate_kl - split.kl) < 1e-12
    with pytest.raises(ValueError, match=r"p\(z\) must be a DiagonalGaussian"):
        evaluation.total_correlation_split(model, x)


class Conditional:
    """q(z|x, c) = N(x + c, 1), p(z|c) = N(c, 1)."""

    def __init__(self, model):
        self.jitted_once = lambda key, function: model.jitted(function)

    def check_inputs(self, x, condition):
        return x, condition

    def embedded(self, condition):
        return condition

    def encode(self, x, condition):
        return DiagonalGaussian(x + condition, 0.0)

    def prior_given(self, condition):
        return DiagonalGaussian(condition, 0.0)


def test_a_condition_reaches_the_encoder(vae_with_posterior):
    model = Conditional(vae_with_posterior([[1.0]], [0.0]))
    x, condition = np.zeros((40, 1), "float32"), np.repeat([[0.0], [50.0]], 20, axis=0)
    condition = condition.astype("float32")
    information = evaluation.mutual_information(model, x, condition=condition)
    assert abs(information - math.log(2)) < 1e-6


def test_a_prior_given_the_condition_is_refused(vae_with_posterior):
    model = Conditional(vae_with_posterior([[1.0]], [0.0]))
    x = np.zeros((4, 1), "float32")
    with pytest.raises(ValueError, match=r"one prior.*all examples"):
        evaluation.kl_split(model, x, condition=x)
