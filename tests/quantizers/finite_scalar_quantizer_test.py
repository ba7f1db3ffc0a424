import itertools

import gradients
import numpy as np
import pytest
from keras import ops

from keras_vae.quantizers import FiniteScalarQuantizer
from keras_vae.quantizers.finite_scalar_quantizer import digits_of
from keras_vae.quantizers.finite_scalar_quantizer import indices_of

pytestmark = pytest.mark.compiled_once


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def built(levels):
    quantizer = FiniteScalarQuantizer(levels)
    quantizer.build((None, 1, len(levels)))
    return quantizer


def test_a_code_by_hand():
    quantizer = built((5, 4))
    # 1.998 tanh(0.7) = 1.21 rounds to 1, index 3 of 5; 1.4985 tanh(-1 + 0.35) - 0.5 = -1.36
    # rounds to -1, index 1 of 4.
    quantized = quantizer(np.array([[[0.7, -1.0]]], "float32"))
    np.testing.assert_array_equal(numpy(quantized.z_q), [[[0.5, -0.5]]])
    np.testing.assert_array_equal(numpy(quantized.indices), [[3 + 5 * 1]])


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("levels", [(2,), (3,), (8, 5, 2), (7, 4, 3, 2)])
def test_every_code_is_in_reach_and_has_its_own_index(levels):
    quantizer = built(levels)
    rng = np.random.default_rng(0)
    z = rng.normal(scale=3.0, size=(20_000, 1, len(levels))).astype("float32")
    z_q, indices, commitment, codebook = map(numpy, quantizer(z))
    assert set(indices.ravel()) == set(range(quantizer.num_embeddings))
    assert len(np.unique(z_q.reshape(-1, len(levels)), axis=0)) == quantizer.num_embeddings
    assert np.abs(z_q).max() == 1
    assert not commitment.any()
    assert not codebook.any()


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("levels", [(3, 4), (8, 5, 2)])
def test_agrees_with_numpy(levels):
    z = np.random.default_rng(1).normal(scale=2.0, size=(50, 3, len(levels))).astype("float32")
    expected, indices = np.zeros_like(z), np.zeros((50, 3), int)
    for i, n in enumerate(levels):
        width, offset = 0.999 * (n - 1) / 2, 0 if n % 2 else 0.5
        digits = np.round(np.tanh(z[..., i] + np.tan(offset / width)) * width - offset)
        expected[..., i] = digits / (n // 2)
        indices += ((digits + n // 2) * np.prod(levels[:i])).astype(int)
    quantized = built(levels)(z)
    np.testing.assert_allclose(numpy(quantized.z_q), expected)
    np.testing.assert_array_equal(numpy(quantized.indices), indices)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("levels", [(2, 3, 4, 5), (8,)])
def test_an_encoder_that_gives_zeros_starts_in_the_middle(levels):
    z_q = numpy(built(levels)(np.zeros((1, 1, len(levels)), "float32")).z_q)
    np.testing.assert_array_equal(z_q, 0)


def test_the_gradient_is_that_of_the_bound():
    levels, step = (5, 4), 1e-2
    quantizer, weights = built(levels), np.array([1.0, -3.0], "float32")
    z = np.random.default_rng(2).normal(size=(4, 3, 2)).astype("float32")
    _, (gradient,) = gradients.value_and_gradients(
        lambda t: ops.multiply(quantizer(t).z_q, weights), z
    )

    def bounded(z):
        return np.tanh(z + np.array([0, np.tan(0.5 / 1.4985)])) * [1.998 / 2, 1.4985 / 2] * weights

    expected = (bounded(z + step) - bounded(z - step)) / (2 * step)
    np.testing.assert_allclose(gradient, expected, atol=1e-3)


def test_the_layers_around_the_codes_are_there_where_dimensions_differ_only():
    assert not built((5, 4)).weights
    quantizer = FiniteScalarQuantizer((5, 4))
    quantizer.build((None, 3, 6))
    assert [tuple(w.shape) for w in quantizer.weights] == [(6, 2), (2,), (2, 6), (6,)]
    z = np.random.default_rng(3).normal(size=(4, 3, 6)).astype("float32")
    kernel_in, bias_in, kernel_out, bias_out = map(numpy, quantizer.weights)
    codes = numpy(built((5, 4))((z @ kernel_in + bias_in).astype("float32")).z_q)
    expected = codes @ kernel_out + bias_out
    np.testing.assert_allclose(numpy(quantizer(z).z_q), expected, rtol=1e-5, atol=1e-6)


def test_indices_count_in_mixed_radix():
    levels = (3, 2, 4)
    digits = np.array([d[::-1] for d in itertools.product(*map(range, reversed(levels)))])
    np.testing.assert_array_equal(numpy(indices_of(digits, levels)), range(24))
    np.testing.assert_array_equal(numpy(digits_of(np.arange(24), levels)), digits)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("levels", [(), 8, None, "8", (8, 1), (8, 2.5), [True, 3]])
def test_levels_are_checked(levels):
    with pytest.raises(ValueError, match="`levels"):
        FiniteScalarQuantizer(levels)


def test_indices_must_be_int32():
    assert FiniteScalarQuantizer((2,) * 30).num_embeddings == 2**30
    with pytest.raises(ValueError, match=r"fewer than 2\^31 codes.*GroupedQuantizer"):
        FiniteScalarQuantizer((2,) * 31)
