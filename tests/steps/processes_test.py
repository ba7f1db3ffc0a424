import numpy as np
import pytest

from keras_vae.steps.processes import differing_data
from keras_vae.steps.processes import digest_of

pytestmark = pytest.mark.one_backend

X = np.random.default_rng(0).normal(size=(1000, 3)).astype("float32")


def test_a_digest_tells_data_apart():
    others = [X[1:], X[::-1], X.astype("float64"), X.reshape(500, 6), X + 1e-3]
    assert len({digest_of(x) for x in (X, *others)}) == 6
    assert digest_of(X) == digest_of(np.asfortranarray(X)) == digest_of(X.copy())
    assert digest_of(X[:1]) != digest_of(X[1:2])


def test_the_error_says_what_to_give():
    assert "all 2 processes" in str(differing_data(2))
