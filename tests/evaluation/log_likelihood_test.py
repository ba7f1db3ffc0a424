import numpy as np
import pytest
from linear_gaussian import linear_gaussian_vae

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
