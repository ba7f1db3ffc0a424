import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.quantizers import EMAUpdate
from keras_vae.quantizers import EntropyConstrainedVectorQuantizer
from keras_vae.quantizers import VectorQuantizer
from keras_vae.quantizers.entropy_constrained_quantizer import CodeProbabilities

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(8, 20, 3)).astype("float32")
CODES = RNG.normal(size=(6, 3)).astype("float32")
P = np.float32([0.5, 0.2, 0.1, 0.1, 0.1, 0.0])


def quantizer_with(rate_weight, probabilities=P, codes=CODES, **options):
    options = {"initialization": "uniform", "revival": None, **options}
    quantizer = EntropyConstrainedVectorQuantizer(len(codes), rate_weight, **options)
    quantizer.build((None, *Z.shape[1:]))
    quantizer.codebook.assign(codes)
    quantizer.memory["probabilities"].assign(probabilities)
    return quantizer


def numpy(x):
    return ops.convert_to_numpy(x)


def indices_of(quantizer, z=Z):
    return numpy(quantizer(z).indices)


def test_codes_by_hand():
    squares = np.square(Z[:, :, None] - CODES).sum(axis=-1)
    nats = -np.log(0.99 * P + 0.01 / 6)
    expected = (squares + 0.7 * nats).argmin(axis=-1)
    assert np.any(expected != squares.argmin(axis=-1))
    np.testing.assert_array_equal(indices_of(quantizer_with(0.7)), expected)


def test_costs_and_codes_are_of_the_distance_alone():
    quantized = quantizer_with(0.7)(Z)
    z_q = CODES[numpy(quantized.indices)]
    np.testing.assert_array_equal(numpy(quantized.z_q), z_q)
    distance = np.square(Z - z_q).sum(axis=(1, 2))
    np.testing.assert_allclose(numpy(quantized.commitment), distance, rtol=1e-5)
    np.testing.assert_allclose(numpy(quantized.codebook), distance, rtol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(("rate_weight", "probabilities"), [(0.0, P), (0.7, np.full(6, 1 / 6))])
def test_without_weight_or_with_even_codes_it_is_the_vector_quantizer(rate_weight, probabilities):
    plain = VectorQuantizer(6, initialization="uniform")
    plain.build((None, *Z.shape[1:]))
    plain.codebook.assign(CODES)
    found = indices_of(quantizer_with(rate_weight, probabilities))
    np.testing.assert_array_equal(found, numpy(plain(Z).indices))


def test_shares_by_hand():
    quantizer = quantizer_with(0.7)
    indices = indices_of(quantizer).ravel()
    quantizer(Z, training=True)
    counts = np.bincount(indices, minlength=6)
    expected = 0.99 * P + 0.01 * counts / counts.sum()
    np.testing.assert_allclose(numpy(quantizer.memory["probabilities"]), expected, rtol=1e-5)


def test_a_batch_without_rows_teaches_nothing():
    quantizer = quantizer_with(0.7)
    quantizer(Z, mask=np.zeros(Z.shape[:2], bool), training=True)
    np.testing.assert_array_equal(numpy(quantizer.memory["probabilities"]), P)


def test_codes_put_elsewhere_begin_with_an_even_share():
    quantizer = quantizer_with(0.7)
    CodeProbabilities().forget(quantizer, np.array([True, False, False, False, False, True]))
    expected = np.where([1, 0, 0, 0, 0, 1], 1 / 6, P)
    np.testing.assert_allclose(numpy(quantizer.memory["probabilities"]), expected, rtol=1e-6)


@pytest.mark.slow
def test_a_larger_weight_gives_a_smaller_entropy_and_a_larger_error(monkeypatch):
    # Shares and codes that move ten times as fast arrive in a tenth of the steps.
    monkeypatch.setattr(EntropyConstrainedVectorQuantizer, "probabilities", CodeProbabilities(0.9))
    entropies, errors = [], []
    for rate_weight in (0.0, 1.0, 3.0):
        keras.utils.set_random_seed(0)
        # Without k-means, which JAX would compile anew at each of these calls.
        options = {"initialization": "data", "revival": None, "update": EMAUpdate(0.9)}
        quantizer = EntropyConstrainedVectorQuantizer(16, rate_weight, **options)
        noise = keras.random.SeedGenerator(0)
        for _ in range(50):
            quantizer(Z, training=True, seed=noise)
        quantized = quantizer(Z)
        p = np.bincount(numpy(quantized.indices).ravel(), minlength=16) / Z[..., 0].size
        entropies.append(-np.sum(p * np.log(np.maximum(p, 1e-12))))
        errors.append(numpy(quantized.commitment).mean())
    assert entropies[0] > entropies[1] + 0.05 > entropies[2] + 0.1
    assert errors[0] < errors[1] < errors[2]


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("wrong", [-0.1, float("nan"), float("inf"), True, "0.1", None])
def test_arguments_are_checked(wrong):
    with pytest.raises(ValueError, match=r"`rate_weight`.*at least 0"):
        EntropyConstrainedVectorQuantizer(4, wrong)
