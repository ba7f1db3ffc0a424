import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.layers.positions import LearnedPositions
from keras_vae.layers.positions import Positions
from keras_vae.layers.positions import RotaryPositions


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def turned(heads, *positions, base=10000.0):
    return numpy(RotaryPositions(base).turn(ops.convert_to_tensor(heads), np.array(positions)))


def test_tokens_get_the_vector_of_their_position():
    layer, tokens = LearnedPositions(), normal(2, 5, 3)
    layer.build(tokens.shape)
    vectors = numpy(layer.vectors)
    assert vectors.shape == (5, 3)
    np.testing.assert_allclose(numpy(layer(tokens, np.arange(5))), tokens + vectors, rtol=1e-6)
    one = numpy(layer(tokens[:, 3:4], np.array([3])))
    np.testing.assert_allclose(one, tokens[:, 3:4] + vectors[3], rtol=1e-6)


def test_a_pair_turns_by_its_position():
    heads = np.array([1.0, 0.0], "float32").reshape(1, 1, 1, 2)
    expected = [np.cos(3), np.sin(3)]
    np.testing.assert_allclose(turned(heads, 3).ravel(), expected, rtol=1e-6)


def test_later_pairs_turn_slower():
    heads = np.array([0.0, 1.0, 0.0, 0.0], "float32").reshape(1, 1, 1, 4)  # the pair (1, 3)
    expected = [0, np.cos(3 / 10), 0, np.sin(3 / 10)]  # base^(-1/2) = 1/10
    np.testing.assert_allclose(turned(heads, 3, base=100.0).ravel(), expected, rtol=1e-6)


def test_products_of_queries_and_keys_depend_on_distances_alone():
    query, key = normal(1, 1, 4, 6), normal(1, 1, 4, 6, seed=1)

    def score(m, n):
        return np.sum(turned(query, m) * turned(key, n), axis=-1).ravel()  # of each head

    for m, n in ((2, 0), (5, 4), (7, 7)):
        np.testing.assert_allclose(score(m + 40, n + 40), score(m, n), rtol=1e-4, atol=1e-4)
    assert np.abs(score(5, 4) - score(5, 3)).min() > 1e-3


def test_turning_keeps_lengths_and_the_first_position():
    heads = normal(2, 6, 3, 4)
    out = turned(heads, *range(6))
    np.testing.assert_allclose((out**2).sum(axis=-1), (heads**2).sum(axis=-1), rtol=1e-5)
    np.testing.assert_array_equal(out[:, 0], heads[:, 0])
    assert np.abs(out[:, 1:] - heads[:, 1:]).max(axis=(0, 2, 3)).min() > 0.1


def test_turned_heads_keep_their_type():
    out = RotaryPositions().turn(ops.cast(normal(1, 2, 1, 4), "bfloat16"), np.arange(2))
    assert keras.backend.standardize_dtype(out.dtype) == "bfloat16"


def test_tokens_or_attention_are_told():
    tokens, where = normal(1, 2, 4), np.arange(2)
    rotary = RotaryPositions()
    assert rotary.for_attention() is rotary
    assert Positions().for_attention() is LearnedPositions().for_attention() is None
    for layer in (rotary, Positions()):
        np.testing.assert_array_equal(numpy(layer(tokens, where)), tokens)


def test_odd_heads_and_bad_bases_are_refused():
    with pytest.raises(ValueError, match="heads have 3"):
        turned(normal(1, 1, 1, 3), 0)
    for base in (1, 0.5, float("inf"), "10"):
        with pytest.raises(ValueError, match="`base`"):
            RotaryPositions(base)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("family", [LearnedPositions, RotaryPositions])
def test_config_round_trip(family):
    layer = family(name="positions", dtype=keras.DTypePolicy("mixed_bfloat16"))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is family
    assert again.get_config() == layer.get_config()
    assert RotaryPositions.from_config(RotaryPositions(50).get_config()).base == 50
