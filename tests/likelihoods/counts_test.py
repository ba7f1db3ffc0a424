import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

import keras_vae
from keras_vae import likelihoods

OF_COUNTS = [
    likelihoods.PoissonLikelihood(),
    likelihoods.ZeroInflatedPoissonLikelihood(),
    likelihoods.NegativeBinomialLikelihood(),
    likelihoods.NegativeBinomialLikelihood("example"),
    likelihoods.ZeroInflatedNegativeBinomialLikelihood(),
    likelihoods.ZeroInflatedNegativeBinomialLikelihood("example"),
]


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("likelihood", OF_COUNTS, ids=lambda x: type(x).__name__)
def test_learns_counts_and_draws_some(likelihood):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    counts = rng.poisson(np.exp(0.3 * rng.normal(size=(64, 1))), (64, 5)).astype("float32")
    encoder = keras_vae.MLPEncoder((5,), 2, (8,))
    decoder = keras_vae.MLPDecoder((5,), 2, (8,), num_parameters=likelihood.num_parameters)
    model = keras_vae.VAE(encoder, decoder, likelihood, seed=0)
    model.compile(keras.optimizers.Adam(1e-2))
    losses = model.fit(counts, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    draws = model.sample(6, seed=0, from_likelihood=True)
    assert draws.shape == (6, 5)
    np.testing.assert_array_equal(draws, np.floor(draws))


def test_one_dispersion_for_each_feature_against_scipy():
    likelihood = likelihoods.NegativeBinomialLikelihood()
    likelihood.build((None, 3))
    likelihood.log_inverse_dispersion.assign([-1.0, 0.0, 2.0])
    log_mean, x = np.array([[0.5, 1.0, 1.5]]), np.array([[3, 0, 7]])
    mean, r = np.exp(log_mean), np.exp([-1.0, 0.0, 2.0])
    expected = stats.nbinom(r, r / (r + mean)).logpmf(x).sum(axis=1)
    np.testing.assert_allclose(numpy(likelihood(log_mean).log_prob(x)), expected, rtol=1e-5)


def test_blocks_of_parameters_are_mean_then_dispersion_then_zeros():
    likelihood = likelihoods.ZeroInflatedNegativeBinomialLikelihood("example")
    distribution = likelihood(np.array([[1.0, 2.0, 3.0]]))
    assert float(numpy(distribution.base.log_mean)[0, 0]) == 1.0
    assert float(numpy(distribution.base.log_inverse_dispersion)[0, 0]) == 2.0
    assert float(numpy(distribution.logits)[0, 0]) == 3.0


@pytest.mark.one_backend
@pytest.mark.parametrize("bad", [-1.0, 0.5])
def test_data_that_are_no_counts(bad):
    x = np.zeros((2, 3))
    x[1, 2] = bad
    with pytest.raises(ValueError, match=r"whole numbers of at least 0.*exposure"):
        likelihoods.PoissonLikelihood().check(x)


@pytest.mark.one_backend
def test_an_unknown_dispersion():
    with pytest.raises(ValueError, match=r"`dispersion`.*feature"):
        likelihoods.NegativeBinomialLikelihood("gene")
