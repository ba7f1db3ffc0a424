import numpy as np
import pytest
from keras import ops

from keras_vae import RecurrentTokenDecoder
from keras_vae import TransformerTokenDecoder
from keras_vae.models.base import writing
from keras_vae.models.base.autoregressive_model import inverse_cdf
from keras_vae.models.base.autoregressive_model import most_probable

pytestmark = pytest.mark.compiled_once

K, T, D, B = 7, 6, 3, 16
RNG = np.random.default_rng(0)
Z = RNG.normal(size=(B, D)).astype("float32")
NOISE = RNG.uniform(size=(B, T)).astype("float32")
SMALL = {"units": 8, "embedding_dim": 4}
DECODERS = [
    lambda: RecurrentTokenDecoder(K, D, **SMALL),
    lambda: RecurrentTokenDecoder(K, D, cell="lstm", **SMALL),
    lambda: TransformerTokenDecoder(K, D, width=8, num_layers=2, num_heads=2),
]


def randomized(decoder):
    rng = np.random.default_rng(1)
    for v in decoder.trainable_variables:
        v.assign(0.5 * rng.normal(size=v.shape))
    return decoder


def naively_written(decoder, choose):
    """All logits of all positions anew for each token."""
    tokens = np.zeros((B, T), "int32")
    is_open = np.ones(B, bool)
    for i in range(T):
        previous = np.concatenate([np.zeros((B, 1), "int32"), tokens[:, :-1]], axis=1)
        logits = decoder([Z, previous])[:, i, 1:]
        token = ops.convert_to_numpy(choose(logits, i)) + 1
        tokens[:, i] = np.where(is_open, token, 0)
        is_open &= token != 1
    return tokens


CHOICES = {
    "greedy": writing.greedy,
    "drawn": writing.drawing(NOISE, 1.0, None, None),
    "cold": writing.drawing(NOISE, 0.5, None, None),
    "top k": writing.drawing(NOISE, 1.0, 3, None),
    "top p": writing.drawing(NOISE, 1.0, None, 0.6),
}


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("make", DECODERS)
def test_token_for_token_what_the_whole_pass_gives(make, choice):
    decoder, choose = randomized(make()), CHOICES[choice]
    got = ops.convert_to_numpy(writing.written(decoder, Z, B, T, choose))
    assert np.array_equal(got, naively_written(decoder, choose))
    assert choice != "drawn" or len(np.unique(got, axis=0)) > B / 2


def test_the_nucleus_by_hand():
    probs = np.array([[0.5, 0.3, 0.15, 0.05]], "float32")
    for top_p, kept in [(0.4, 1), (0.5, 1), (0.6, 2), (0.85, 3), (1.0, 4)]:
        logits = ops.convert_to_numpy(writing.nucleus(np.log(probs), top_p))
        assert np.isfinite(logits).tolist() == [[True] * kept + [False] * (4 - kept)], top_p


def test_no_draw_leaves_the_nucleus_or_the_top_k():
    logits = np.repeat(np.random.default_rng(2).normal(size=(1, 6)), 2000, axis=0).astype("float32")
    uniform = ops.convert_to_tensor(RNG.uniform(size=2000).astype("float32"))
    order = np.argsort(-logits[0])
    tensor = ops.convert_to_tensor(logits)
    drawn = ops.convert_to_numpy(inverse_cdf(most_probable(tensor, 2), uniform))
    assert set(drawn) == set(order[:2])
    probs = np.exp(logits[0]) / np.exp(logits[0]).sum()
    drawn = ops.convert_to_numpy(inverse_cdf(writing.nucleus(tensor, 0.7), uniform))
    size = int(np.searchsorted(np.cumsum(probs[order]), 0.7)) + 1
    assert set(drawn) == set(order[:size])
