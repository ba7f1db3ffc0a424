"""Networks of tokens, recurrent and transformers: the same promises."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae import RecurrentTokenDecoder
from keras_vae import RecurrentTokenEncoder
from keras_vae import TransformerTokenDecoder
from keras_vae import TransformerTokenEncoder

pytestmark = pytest.mark.compiled_once

K, T, D = 9, 6, 3
SMALL = {"units": 8, "embedding_dim": 4}
SMALL_BLOCKS = {"width": 8, "num_heads": 2}
ENCODERS = [
    lambda **kwargs: RecurrentTokenEncoder(K, D, **SMALL, **kwargs),
    lambda **kwargs: RecurrentTokenEncoder(K, D, cell="lstm", **SMALL, **kwargs),
    lambda **kwargs: TransformerTokenEncoder(K, D, **SMALL_BLOCKS, **kwargs),
]
DECODERS = [
    lambda latent_dim=D, **kwargs: RecurrentTokenDecoder(K, latent_dim, **SMALL, **kwargs),
    lambda latent_dim=D, **kwargs: RecurrentTokenDecoder(
        K, latent_dim, cell="lstm", **SMALL, **kwargs
    ),
    lambda latent_dim=D, **kwargs: TransformerTokenDecoder(K, latent_dim, **SMALL_BLOCKS, **kwargs),
]
X = np.array([[3, 4, 5, 1, 0, 0], [6, 7, 8, 3, 4, 1], [1, 0, 0, 0, 0, 0]], "int32")
Z = np.random.default_rng(0).normal(size=(3, D)).astype("float32")
PREVIOUS = np.concatenate([np.zeros((3, 1), "int32"), X[:, :-1]], axis=1)


def randomized(network):
    rng = np.random.default_rng(1)
    for v in network.trainable_variables:
        v.assign(0.5 * rng.normal(size=v.shape))
    return network


def numpy(tensors):
    return [ops.convert_to_numpy(t) for t in keras.tree.flatten(tensors)]


@pytest.mark.parametrize("make", ENCODERS)
def test_padding_changes_no_posterior(make):
    encoder = randomized(make())
    together = numpy(encoder(X))
    for row, length in enumerate((4, 6, 1)):
        alone = numpy(encoder(X[row : row + 1, :length]))
        for a, b in zip(together, alone, strict=True):
            np.testing.assert_allclose(a[row], b[0], rtol=1e-5, atol=1e-6)
    mean = together[0]
    assert np.abs(mean[0] - mean[1]).max() > 1e-3


@pytest.mark.parametrize("make", DECODERS)
def test_no_position_sees_what_comes_after(make):
    decoder = randomized(make())
    changed = PREVIOUS.copy()
    changed[:, 4:] = 8
    before, after = (ops.convert_to_numpy(decoder([Z, p])) for p in (PREVIOUS, changed))
    assert np.array_equal(before[:, :4], after[:, :4])
    assert np.abs(before[:, 4:] - after[:, 4:]).max() > 1e-3


@pytest.mark.parametrize("with_latent", [True, False])
@pytest.mark.parametrize("make", DECODERS)
def test_one_position_at_a_time_is_all_at_once(make, with_latent):
    decoder = randomized(make() if with_latent else make(latent_dim=None))
    whole = ops.convert_to_numpy(decoder([Z, PREVIOUS] if with_latent else PREVIOUS))
    cache = decoder.start(Z if with_latent else None, len(X), T)
    for i in range(T):
        logits, cache = decoder.step(cache, PREVIOUS[:, i], i)
        np.testing.assert_allclose(ops.convert_to_numpy(logits), whole[:, i], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("make", DECODERS)
def test_z_is_told(make):
    decoder = randomized(make())
    first, second = (ops.convert_to_numpy(decoder([z, PREVIOUS])) for z in (Z, Z + 1))
    assert np.abs(first - second).max(axis=(0, 2)).min() > 1e-3  # at every position


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("make", ENCODERS + DECODERS)
def test_a_file_keeps_the_network(make, tmp_path):
    network = randomized(make(dtype="mixed_bfloat16"))
    network.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    assert again.get_config() == network.get_config()
    inputs = X if len(network.inputs) == 1 else [Z, PREVIOUS]
    for a, b in zip(numpy(network(inputs)), numpy(again(inputs)), strict=True):
        assert a.dtype == "float32"
        assert np.array_equal(a, b)
