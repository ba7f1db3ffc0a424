import math

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_vae import layers

RNG = np.random.default_rng(0)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def built(likelihood, shape):
    likelihood.build(shape)
    return likelihood


def test_bernoulli_takes_logits():
    logits, x = RNG.normal(size=(3, 4)), RNG.integers(0, 2, (3, 4))
    measured = numpy(layers.BernoulliLikelihood()(logits).log_prob(x))
    expected = stats.bernoulli.logpmf(x, 1 / (1 + np.exp(-logits))).sum(axis=1)
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


def test_probabilities_and_logits_agree():
    logits, x = RNG.normal(size=(3, 4)), RNG.integers(0, 2, (3, 4))
    from_logits = layers.BernoulliLikelihood()(logits).log_prob(x)
    p = 1 / (1 + np.exp(-logits))
    from_probabilities = layers.BernoulliProbabilityLikelihood()(p).log_prob(x)
    np.testing.assert_allclose(numpy(from_probabilities), numpy(from_logits), rtol=1e-5)


def test_saturated_probabilities_cost_what_the_docstring_says():
    likelihood = layers.BernoulliProbabilityLikelihood()(np.array([[1.0], [0.0]]))
    cost = -numpy(likelihood.log_prob(np.array([[0.0], [1.0]])))
    assert (cost > 15).all()
    assert (cost < 16.2).all()


@pytest.mark.parametrize("sigma", [0.1, 1.0, 3.0])
def test_fixed_sigma(sigma):
    mean, x = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
    expected = stats.norm.logpdf(x, mean, sigma).sum(axis=1)
    for likelihood in (
        layers.GaussianLikelihood(sigma),
        built(layers.LearnedSigmaGaussianLikelihood(sigma), (None, 4)),
    ):
        np.testing.assert_allclose(numpy(likelihood(mean).log_prob(x)), expected, rtol=1e-5)


def test_root_one_half_gives_the_squared_error():
    mean, x = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
    log_prob = numpy(layers.GaussianLikelihood(math.sqrt(0.5))(mean).log_prob(x))
    expected = -np.sum((x - mean) ** 2, axis=1) - 2 * math.log(math.pi)
    np.testing.assert_allclose(log_prob, expected, rtol=1e-5)


def test_learned_sigma_is_one_trainable_float32_number_under_every_policy():
    keras.config.set_dtype_policy("mixed_float16")
    likelihood = built(layers.LearnedSigmaGaussianLikelihood(2.0), (None, 4))
    (weight,) = likelihood.trainable_weights
    assert (weight.shape, weight.dtype) == ((), "float32")
    half = ops.cast(RNG.normal(size=(3, 4)), "float16")
    assert keras.backend.standardize_dtype(likelihood(half).log_prob(half).dtype) == "float32"


def test_per_pixel_sigma_reads_means_then_log_variances():
    parameters, x = RNG.normal(size=(2, 3, 3, 4)), RNG.normal(size=(2, 3, 3, 2))
    mean, log_var = parameters[..., :2], parameters[..., 2:]
    expected = stats.norm.logpdf(x, mean, np.exp(log_var / 2)).sum(axis=(1, 2, 3))
    measured = numpy(layers.PerPixelGaussianLikelihood()(parameters).log_prob(x))
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


def test_discretized_logistic_is_a_difference_of_cdfs():
    parameters = np.concatenate([RNG.uniform(size=(2, 6)), RNG.normal(size=(2, 6))], axis=1)
    x = RNG.integers(1, 255, (2, 6)) / 255
    mean, scale = parameters[:, :6], 0.1 * np.exp(parameters[:, 6:])
    cdf = stats.logistic(mean, scale).cdf
    expected = np.log(cdf(x + 0.5 / 255) - cdf(x - 0.5 / 255)).sum(axis=1)
    measured = numpy(layers.DiscretizedLogisticLikelihood()(parameters).log_prob(x))
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


def test_categorical_takes_class_indices():
    logits, x = RNG.normal(size=(2, 3, 5)), RNG.integers(0, 5, (2, 3))
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    expected = np.take_along_axis(log_p, x[..., None], -1)[..., 0].sum(axis=1)
    measured = numpy(layers.CategoricalLikelihood(5)(logits).log_prob(x))
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


LIKELIHOODS = [
    layers.BernoulliLikelihood(),
    layers.BernoulliProbabilityLikelihood(),
    layers.GaussianLikelihood(0.3),
    layers.LearnedSigmaGaussianLikelihood(0.3),
    layers.PerPixelGaussianLikelihood(),
    layers.DiscretizedLogisticLikelihood(16, 0.2),
    layers.CategoricalLikelihood(5),
]


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda x: type(x).__name__)
def test_config_round_trip(likelihood):
    config = keras.saving.serialize_keras_object(likelihood)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(likelihood)
    assert again.get_config() == likelihood.get_config()


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda x: type(x).__name__)
def test_data_shape_inverts_num_parameters(likelihood):
    if isinstance(likelihood, layers.CategoricalLikelihood):
        assert likelihood.data_shape((7, 4, 5)) == (7, 4)
    else:
        n = likelihood.num_parameters
        assert likelihood.data_shape((7, 4, 3 * n)) == (7, 4, 3)


@pytest.mark.parametrize(
    "likelihood",
    [layers.BernoulliLikelihood(), layers.GaussianLikelihood(0.5)],
    ids=lambda x: type(x).__name__,
)
def test_output_for_mean_gives_that_mean(likelihood):
    mean = np.array([[0.2, 0.5, 0.9]])
    output = likelihood.output_for_mean(mean)
    np.testing.assert_allclose(numpy(likelihood(output).mean), mean, rtol=1e-5)


def test_output_for_a_pixel_that_is_never_lit_is_finite():
    assert np.isfinite(layers.BernoulliLikelihood().output_for_mean(np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize(
    ("likelihood", "bad", "message"),
    [
        (layers.BernoulliLikelihood(), 255.0, r"values in \[0, 1\] \(Bernoulli\).*divided by 255"),
        (layers.DiscretizedLogisticLikelihood(), 0.5, r"levels k/255 in \[0, 1\]"),
        (layers.DiscretizedLogisticLikelihood(), 1 + 1 / 255, r"levels k/255 in \[0, 1\]"),
        (layers.CategoricalLikelihood(5), 5.0, r"integers from 0 to 4"),
        (layers.CategoricalLikelihood(5), 0.5, r"integers from 0 to 4"),
    ],
)
def test_data_outside_the_support_name_the_first_bad_index(likelihood, bad, message):
    x = np.zeros((3, 2), "float32")
    x[1, 1] = bad
    with pytest.raises(ValueError, match=message) as error:
        likelihood.check(x)
    assert "index (1, 1)" in str(error.value)
    likelihood.check(np.zeros((3, 2), "float32"))


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
def test_scales_must_be_positive(value):
    with pytest.raises(ValueError, match="`sigma` must be a positive number"):
        layers.GaussianLikelihood(value)
