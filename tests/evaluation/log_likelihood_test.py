import numpy as np
import pytest
from linear_gaussian import linear_gaussian_vae

import keras_vae
from keras_vae import evaluation

X = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")


def test_it_is_the_models_own():
    model, _ = linear_gaussian_vae(posterior_error=0.1)
    options = {"num_samples": 20, "seed": 3, "proposal": "prior"}
    expected = model.log_likelihood(X, **options)
    np.testing.assert_array_equal(evaluation.log_likelihood(model, X, **options), expected)


def test_an_unknown_proposal_is_refused():
    model, _ = linear_gaussian_vae()
    with pytest.raises(ValueError, match=r"`proposal`.*one of 'posterior', 'prior'"):
        evaluation.log_likelihood(model, X, proposal="uniform")


def test_of_a_model_that_draws_nothing():
    networks = (
        keras_vae.ConvMapEncoder((8, 8, 1), 4, (4,)),
        keras_vae.ConvMapDecoder((8, 8, 1), 4, (4,)),
    )
    model = keras_vae.VQVAE(*networks, keras_vae.VectorQuantizer(6), seed=0)
    x = (np.random.default_rng(0).random((3, 8, 8, 1)) < 0.5).astype("float32")
    found = evaluation.log_likelihood(model, x, verbose=1)
    np.testing.assert_array_equal(found, model.log_likelihood(x))
    with pytest.raises(ValueError, match=r"`proposal`.*VQVAE does not.*'prior'"):
        evaluation.log_likelihood(model, x, proposal="prior")
