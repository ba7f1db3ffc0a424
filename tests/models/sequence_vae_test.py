import itertools

import keras
import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae import LinearAnnealing
from keras_vae import RecurrentTokenDecoder
from keras_vae import RecurrentTokenEncoder
from keras_vae import SequenceVAE
from keras_vae import TransformerTokenDecoder
from keras_vae import TransformerTokenEncoder
from keras_vae.datasets import Vocabulary
from keras_vae.tokens import ended

pytestmark = pytest.mark.compiled_once

TEXTS = ["the food was great .", "the staff was rude .", "never again !", "great !", ""]
VOCABULARY = Vocabulary.of(TEXTS)
K, D, T = VOCABULARY.num_tokens, 2, 8
SMALL = {"units": 8, "embedding_dim": 4}
X = VOCABULARY.encode(TEXTS)


def small_vae(vocabulary=VOCABULARY, num_tokens=K, max_length=T, **options):
    networks = (
        RecurrentTokenEncoder(num_tokens, D, **SMALL),
        RecurrentTokenDecoder(num_tokens, D, **SMALL),
    )
    return SequenceVAE(*networks, max_length, vocabulary, seed=0, **options)


def transformer_vae():
    sizes = {"width": 8, "num_layers": 1, "num_heads": 2}
    return SequenceVAE(
        TransformerTokenEncoder(K, D, **sizes), TransformerTokenDecoder(K, D, **sizes), T, seed=0
    )


def randomized(model, scale=0.5):
    rng = np.random.default_rng(0)
    for v in model.trainable_variables:
        v.assign(scale * rng.normal(size=v.shape))
    return model


@pytest.fixture
def no_noise(monkeypatch):
    def normal(shape, *args, **kwargs):
        return ops.zeros(shape)

    monkeypatch.setattr(keras.random, "normal", normal)


def elbos(model, x):
    return ops.convert_to_numpy(model.terms(ops.convert_to_tensor(x, "float32"))["elbo"])


@pytest.mark.parametrize("make", [small_vae, transformer_vae])
def test_the_bound_of_a_padded_batch_is_that_of_each_alone(make, no_noise):
    model = randomized(make())
    together = elbos(model, np.pad(X, ((0, 0), (0, 2))))
    alone = [elbos(model, row[None, : max(np.count_nonzero(row), 1)])[0] for row in X]
    np.testing.assert_allclose(together, alone, atol=1e-5, rtol=1e-6)


def test_the_probabilities_of_all_sequences_sum_to_1():
    model = randomized(small_vae(None, num_tokens=4, max_length=4), 1.0)
    every = np.unique(ended(np.array(list(itertools.product((1, 2, 3), repeat=4)))), axis=0)
    for z in ([0.0, 0.0], [1.0, -2.0]):
        p = model.decode(np.tile(np.float32(z), (len(every), 1)))
        log_p = ops.convert_to_numpy(p.log_prob(ops.convert_to_tensor(every)))
        np.testing.assert_allclose(np.exp(log_p).sum(), 1, rtol=1e-5)


def test_log_likelihood_sums_to_1_over_all_sequences():
    model = randomized(small_vae(None, num_tokens=4, max_length=3), 0.7)
    for name in ("z_mean", "z_log_var"):  # the posterior is the prior, and the estimate unbiased
        for v in model.encoder.get_layer(name).weights:
            v.assign(np.zeros(v.shape))
    every = np.unique(ended(np.array(list(itertools.product((1, 2, 3), repeat=3)))), axis=0)
    log_p = model.log_likelihood(every, num_samples=2000, seed=0)
    np.testing.assert_allclose(np.exp(log_p).sum(), 1, rtol=0.02)  # noise of the draws of z


def test_learns_to_tell_sentences_apart():
    model = small_vae(kl_weight=LinearAnnealing(300), word_dropout=0.3)
    model.compile(keras.optimizers.Adam(0.02))
    history = model.fit(TEXTS * 8, epochs=60, verbose=0).history
    assert history["reconstruction"][-1] < 0.5 * history["reconstruction"][0]
    assert history["kl"][-1] > 0.5
    assert sum(a == b for a, b in zip(model.reconstruct(TEXTS), TEXTS, strict=True)) >= 3


def test_words_are_hidden_from_the_decoder_in_training_only():
    hidden, plain = randomized(small_vae(word_dropout=1.0)), randomized(small_vae())
    z, x = np.ones((len(X), D), "float32"), ops.convert_to_tensor(X)

    def log_p(model, training):
        return ops.convert_to_numpy(model.generate(z, training=training).log_prob(x))

    np.testing.assert_allclose(log_p(hidden, False), log_p(plain, False), rtol=1e-6)
    # All words alike: what the decoder is told differs by the length alone.
    told = np.where(X == 0, 0, 2)
    told = np.concatenate([np.zeros((len(X), 1), "int32"), told[:, :-1]], axis=1)
    logits = ops.convert_to_numpy(plain.decoder([z, told]))[..., 1:]
    log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    of_x = np.take_along_axis(log_probs, np.maximum(X - 1, 0)[..., None], axis=-1)[..., 0]
    np.testing.assert_allclose(log_p(hidden, True), (of_x * (X != 0)).sum(1), rtol=1e-4)


def test_texts_and_their_tokens_are_the_same_to_a_model():
    model = randomized(small_vae())
    of_texts, of_tokens = (ops.convert_to_numpy(model.encode(x).mean) for x in (TEXTS, X))
    assert np.array_equal(of_texts, of_tokens)
    model.compile("adam")
    evaluated = [model.evaluate(x, verbose=0, return_dict=True) for x in (TEXTS, X)]
    assert evaluated[0] == evaluated[1]
    model.fit(TEXTS, validation_data=TEXTS, verbose=0)


def test_samples_are_texts_and_a_seed_gives_the_same():
    model = randomized(small_vae())
    five = model.sample(5, seed=3)
    assert all(isinstance(text, str) for text in five)
    assert model.sample(2, seed=3) == five[:2]
    assert model.sample(5, seed=4) != five
    tokens = randomized(small_vae(None)).sample(5, seed=3)
    assert tokens.shape == (5, T)
    assert VOCABULARY.decode(tokens) == five


def test_interpolation_begins_and_ends_at_the_reconstructions():
    model = randomized(small_vae())
    between = model.interpolate(TEXTS[0], TEXTS[2], 4)
    assert len(between) == 4
    assert [between[0], between[-1]] == model.reconstruct([TEXTS[0], TEXTS[2]])


def test_a_sequence_is_its_own_neighbour():
    model = randomized(small_vae())
    assert model.neighbours(TEXTS[1], TEXTS, 2)[0] == TEXTS[1]
    assert np.array_equal(model.neighbours(X[1], X, 2)[0], X[1])


def test_a_preset_holds_the_vocabulary(tmp_path):
    model = randomized(small_vae(word_dropout=0.25))
    model.save_to_preset(tmp_path)
    loaded = keras_vae.from_preset(tmp_path)
    assert loaded.vocabulary.tokens == VOCABULARY.tokens
    assert loaded.word_dropout == 0.25
    assert loaded.sample(3, seed=0) == model.sample(3, seed=0)


def test_a_long_sequence_and_a_short_one():
    model = small_vae(None, max_length=10_000)
    long = np.full((1, 10_000), 3)
    long[0, -1] = 1
    short = elbos(model, [[1]])
    assert np.isfinite(short).all()
    if keras.config.backend() != "torch":  # where each step is a call: half a minute
        assert np.isfinite(elbos(model, long)).all()
    model.check_examples(long)


BAD = {
    "too long": (np.full((1, 9), 3), "at most `max_length=8`"),
    "another token": ([[3, K, 1]], f"from 0 to {K - 1}"),
    "no end": ([[3, 4, 0]], "then the end"),
    "a token after the end": ([[3, 1, 3]], "then the end"),
    "not whole": ([[3.5, 1, 0]], "integers"),
    "one sequence": ([3, 1, 0], "wrong shape"),
    "of no length": (np.zeros((2, 0)), "length 0"),
    "nothing": ([], "is empty"),
    "not all texts": (["a", 3], "must hold strings"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_sequence(case):
    x, words = BAD[case]
    model = small_vae()
    model.compile("adam")
    for call in (model.fit, model.encode, model.log_likelihood):
        with pytest.raises(ValueError, match=words):
            call(x)
    assert not int(model.optimizer.iterations)


def test_an_unknown_word_is_the_unknown_token():
    model = randomized(small_vae())
    (row,) = VOCABULARY.encode(["the zebra"])
    assert row.tolist()[1] == 2
    assert np.isfinite(model.log_likelihood(["the zebra"], num_samples=3)).all()


def test_texts_need_a_vocabulary():
    with pytest.raises(ValueError, match="no vocabulary"):
        small_vae(None).encode(["the food"])


def test_arguments():
    with pytest.raises(ValueError, match=r"`word_dropout`.*\[0, 1\]"):
        small_vae(word_dropout=1.5)
    with pytest.raises(ValueError, match=f"has {K} tokens, but the decoder 4"):
        small_vae(num_tokens=4)
    with pytest.raises(ValueError, match="takes no `condition`"):
        small_vae(condition=keras_vae.LabelCondition(3))
    with pytest.raises(TypeError, match="`decoder` must be a network of tokens"):
        SequenceVAE(RecurrentTokenEncoder(K, D), keras_vae.MLPDecoder((4,), D), T)
    with pytest.raises(ValueError, match="`decoder` must have been made with a size"):
        SequenceVAE(RecurrentTokenEncoder(K, D), RecurrentTokenDecoder(K, None), T)
    with pytest.raises(ValueError, match="Build both with the same"):
        SequenceVAE(RecurrentTokenEncoder(K, D), RecurrentTokenDecoder(K, 3), T)
    with pytest.raises(TypeError, match="`vocabulary` must be"):
        small_vae(["a", "b"])
    for options in ({"temperature": 0.0}, {"top_k": 0}, {"top_k": K}, {"top_p": 0.0}):
        with pytest.raises(ValueError, match=f"`{next(iter(options))}` must"):
            small_vae().sample(2, **options)


def test_collapse_is_named_with_advice():
    model = small_vae(kl_weight=100.0)
    model.compile(keras.optimizers.Adam(0.02))
    with pytest.warns(UserWarning, match=r"Posterior collapse.*`word_dropout=0.3`"):
        model.fit(TEXTS * 8, epochs=5, verbose=0, callbacks=[keras_vae.CollapseMonitor(TEXTS)])
