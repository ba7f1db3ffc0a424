import collections
import itertools

import numpy as np
import pytest

from keras_vae import LanguageModel
from keras_vae import RecurrentTokenDecoder
from keras_vae.datasets import Vocabulary
from keras_vae.tokens import ended

VOCABULARY = Vocabulary(["a", "b"])
K, T = VOCABULARY.num_tokens, 3


@pytest.fixture(scope="module")
def model():
    decoder = RecurrentTokenDecoder(K, None, units=4, embedding_dim=3)
    rng = np.random.default_rng(0)
    for v in decoder.trainable_variables:
        v.assign(rng.normal(size=v.shape))
    return LanguageModel(decoder, T, seed=0)


def every_sequence():
    return np.unique(ended(np.array(list(itertools.product(range(1, K), repeat=T)))), axis=0)


def frequencies(drawn):
    counts = collections.Counter(map(tuple, drawn.tolist()))
    return np.array([counts[tuple(row)] / len(drawn) for row in every_sequence().tolist()])


def test_what_is_drawn_has_the_probabilities_of_the_model(model):
    p = np.exp(model.log_likelihood(every_sequence()))
    np.testing.assert_allclose(p.sum(), 1, rtol=1e-5)
    drawn = model.sample(4000, seed=0)
    error = np.sqrt(p * (1 - p) / len(drawn))
    assert (np.abs(frequencies(drawn) - p) < 4.5 * error + 1e-9).all()


def test_at_a_low_temperature_each_token_is_the_most_probable(model):
    cold = model.sample(8, seed=0, temperature=1e-4)
    assert np.array_equal(cold, model.sample(8, from_likelihood=False))
    assert np.array_equal(cold, model.sample(8, seed=0, top_k=1))


def test_texts_are_read_and_shown_with_a_vocabulary(model):
    spoken = LanguageModel(model.decoder, T, VOCABULARY, seed=0)
    assert spoken.sample(9, seed=1) == VOCABULARY.decode(model.sample(9, seed=1))
    x = VOCABULARY.encode(["a b", ""])
    assert np.array_equal(spoken.log_likelihood(["a b", ""]), model.log_likelihood(x))
    with pytest.raises(ValueError, match="no vocabulary"):
        model.log_likelihood(["a b"])


def test_what_is_longer_than_the_model_takes(model):
    with pytest.raises(ValueError, match="at most `max_length=3`"):
        model.log_likelihood([[3, 3, 3, 1]])
