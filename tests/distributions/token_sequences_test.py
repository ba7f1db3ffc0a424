import itertools

import numpy as np
import pytest
from keras import ops

from keras_vae.distributions import TokenSequences
from keras_vae.tokens import END
from keras_vae.tokens import ended

K, T = 5, 4
TABLE = np.random.default_rng(0).normal(size=(K, K)).astype("float32")


def chain(batch_size):
    """A Markov chain: the logits of a token are a row of a table."""
    return TokenSequences(lambda previous: ops.take(TABLE, previous, axis=0), batch_size)


def log_prob(x):
    return ops.convert_to_numpy(chain(len(x)).log_prob(np.asarray(x, "float32")))


def test_by_hand():
    log_p = TABLE - np.log(np.exp(TABLE[:, 1:]).sum(axis=1, keepdims=True))
    expected = [log_p[0, 3] + log_p[3, 2] + log_p[2, 1], log_p[0, 1]]
    np.testing.assert_allclose(log_prob([[3, 2, 1, 0], [1, 0, 0, 0]]), expected, rtol=1e-6)


def test_the_probabilities_of_all_sequences_sum_to_1():
    rows = np.array(list(itertools.product(range(1, K), repeat=T)))
    every = np.unique(ended(rows), axis=0)
    assert (every == END).any(axis=1).sum() == 1 + 3 + 9 + 27  # and 81 that are cut
    assert len(every) == 40 + 81
    np.testing.assert_allclose(np.exp(log_prob(every)).sum(), 1, rtol=1e-5)


def test_padding_costs_nothing():
    np.testing.assert_allclose(log_prob([[3, 1]]), log_prob([[3, 1, 0, 0, 0]]), rtol=1e-6)


def test_it_scores_and_does_not_draw():
    with pytest.raises(NotImplementedError, match="`sample` or `write`"):
        chain(2).sample(0)
