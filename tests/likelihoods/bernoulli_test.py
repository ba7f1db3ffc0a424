import numpy as np
from keras import ops
from scipy import stats

from keras_vae import likelihoods

RNG = np.random.default_rng(0)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_bernoulli_takes_logits():
    logits, x = RNG.normal(size=(3, 4)), RNG.integers(0, 2, (3, 4))
    measured = numpy(likelihoods.BernoulliLikelihood()(logits).log_prob(x))
    expected = stats.bernoulli.logpmf(x, 1 / (1 + np.exp(-logits))).sum(axis=1)
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


def test_probabilities_and_logits_agree():
    logits, x = RNG.normal(size=(3, 4)), RNG.integers(0, 2, (3, 4))
    from_logits = likelihoods.BernoulliLikelihood()(logits).log_prob(x)
    p = 1 / (1 + np.exp(-logits))
    from_probabilities = likelihoods.BernoulliProbabilityLikelihood()(p).log_prob(x)
    np.testing.assert_allclose(numpy(from_probabilities), numpy(from_logits), rtol=1e-5)


def test_saturated_probabilities_cost_what_the_docstring_says():
    likelihood = likelihoods.BernoulliProbabilityLikelihood()(np.array([[1.0], [0.0]]))
    cost = -numpy(likelihood.log_prob(np.array([[0.0], [1.0]])))
    assert (cost > 15).all()
    assert (cost < 16.2).all()


def test_output_for_a_pixel_that_is_never_lit_is_finite():
    assert np.isfinite(
        likelihoods.BernoulliLikelihood().output_for_mean(np.array([0.0, 1.0]))
    ).all()
