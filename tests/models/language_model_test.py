import keras
import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae import LanguageModel
from keras_vae import RecurrentTokenDecoder
from keras_vae.datasets import Vocabulary

pytestmark = pytest.mark.compiled_once

TEXTS = ["a b", "b a c", "a", "a b"]
VOCABULARY = Vocabulary.of(TEXTS)
X = VOCABULARY.encode(TEXTS)
SMALL = {"units": 8, "embedding_dim": 4}


def small_model(**options):
    decoder = RecurrentTokenDecoder(VOCABULARY.num_tokens, None, **SMALL)
    return LanguageModel(decoder, 5, VOCABULARY, seed=0, **options)


def test_predictions_sum_to_the_log_likelihood():
    model = small_model()
    of_tokens = model.predict(TEXTS, verbose=0)
    np.testing.assert_allclose(of_tokens.sum(axis=1), model.log_likelihood(X), rtol=1e-5)
    assert (of_tokens[X == 0] == 0).all()
    assert (of_tokens[X != 0] < 0).all()


def test_terms_are_nats_a_sequence_and_a_token():
    model = small_model()
    terms = model.terms(ops.convert_to_tensor(X, "float32"))
    nll, per_token = (ops.convert_to_numpy(terms[k]) for k in ("nll", "nll_per_token"))
    np.testing.assert_allclose(nll, -model.log_likelihood(X), rtol=1e-5)
    np.testing.assert_allclose(per_token, nll / np.array([3, 4, 2, 3]), rtol=1e-5)


def test_learns_the_frequencies_of_sequences():
    model = small_model()
    model.compile(keras.optimizers.Adam(0.03))
    model.fit(TEXTS * 8, epochs=120, verbose=0)
    np.testing.assert_allclose(np.exp(model.log_likelihood(["a b", "a"])), [0.5, 0.25], atol=0.06)
    drawn = model.sample(200, seed=0)
    assert 0.35 < drawn.count("a b") / 200 < 0.65
    assert set(model.sample(3, from_likelihood=False)) == {"a b"}


def test_a_preset_holds_it(tmp_path):
    model = small_model(word_dropout=0.1)
    model.save_to_preset(tmp_path)
    loaded = keras_vae.from_preset(tmp_path)
    assert loaded.sample(3, seed=1) == model.sample(3, seed=1)
    assert loaded.word_dropout == 0.1


def test_what_does_not_belong():
    with pytest.raises(ValueError, match="made with None for `latent_dim`"):
        LanguageModel(RecurrentTokenDecoder(5, 3, **SMALL), 5)
    with pytest.raises(ValueError, match="takes no `num_samples`"):
        small_model().log_likelihood(X, num_samples=3)
