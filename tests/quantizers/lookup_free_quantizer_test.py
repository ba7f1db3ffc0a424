import itertools

import gradients
import numpy as np
import pytest
from keras import ops

from keras_vae.quantizers import LookupFreeQuantizer

pytestmark = pytest.mark.compiled_once


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def built(num_bits, **options):
    quantizer = LookupFreeQuantizer(num_bits, **options)
    quantizer.build((None, 1, num_bits))
    return quantizer


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def entropy(q):
    return -(q * np.log(q) + (1 - q) * np.log(1 - q)).sum(axis=-1)


def test_a_code_by_hand():
    z_q, indices, commitment, _ = built(3)(np.array([[[0.5, -2.0, 1.0]]], "float32"))
    np.testing.assert_array_equal(numpy(z_q), [[[1, -1, 1]]])
    np.testing.assert_array_equal(numpy(indices), [[1 + 4]])
    np.testing.assert_allclose(numpy(commitment), [0.25 + 1])


def test_zero_is_negative_as_in_the_paper():
    assert numpy(built(1)(np.zeros((1, 1, 1), "float32")).indices) == 0


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(("weight", "temperature"), [(1.0, 1.0), (0.5, 4.0)])
def test_the_entropy_cost_agrees_with_numpy(weight, temperature):
    z = normal(4, 5, 3)
    q = 1 / (1 + np.exp(-4 * z / temperature))
    expected = entropy(q).sum(axis=1) - weight * 5 * entropy(q.mean(axis=(0, 1)))
    quantizer = built(3, diversity_weight=weight, temperature=temperature)
    np.testing.assert_allclose(numpy(quantizer(z).codebook), expected, rtol=1e-4)


def test_the_entropy_of_a_position_is_that_over_all_codes():
    z = normal(1, 1, 3)
    codes = np.array(list(itertools.product((-1, 1), repeat=3)))
    logits = -np.square(z[0] - codes).sum(axis=-1)
    q = np.exp(logits) / np.exp(logits).sum()
    cost = numpy(built(3, diversity_weight=0.0)(z).codebook)
    np.testing.assert_allclose(cost, -(q * np.log(q)).sum(), rtol=1e-5)


def test_sure_and_even_bits_cost_least_and_nothing_is_not_finite():
    z = 1e4 * np.array(list(itertools.product((-1, 1), repeat=2)), "float32")[:, None]
    value, (gradient,) = gradients.value_and_gradients(lambda t: built(2)(t).codebook, z)
    np.testing.assert_allclose(value, 4 * -2 * np.log(2), rtol=1e-6)
    assert np.isfinite(gradient).all()


def test_gradients_are_differences_of_costs():
    quantizer, z, step = built(3), normal(2, 4, 3), 1e-2

    def costs(z):
        quantized = quantizer(z)
        return quantized.commitment + quantized.codebook

    _, (gradient,) = gradients.value_and_gradients(costs, z)
    for index in [(0, 0, 0), (0, 3, 1), (1, 2, 2)]:
        shift = np.zeros_like(z)
        shift[index] = step
        difference = numpy(costs(z + shift)).sum() - numpy(costs(z - shift)).sum()
        np.testing.assert_allclose(gradient[index], difference / (2 * step), rtol=2e-2, atol=1e-3)


def test_the_gradient_of_a_sign_is_the_identity():
    weights = normal(2, 4, 3)
    _, (gradient,) = gradients.value_and_gradients(
        lambda t: ops.multiply(built(3)(t).z_q, weights), weights
    )
    np.testing.assert_array_equal(gradient, weights)


def test_the_mean_is_over_all_devices():
    quantizer, z = built(3), normal(6, 2, 3)
    whole = numpy(quantizer(z).codebook)
    q = 1 / (1 + np.exp(-4 * z[3:]))
    elsewhere = np.append(q.sum(axis=(0, 1)), 6).astype("float32")
    quantizer.across_replicas = lambda statistics: statistics + ops.convert_to_tensor(elsewhere)
    np.testing.assert_allclose(numpy(quantizer(z[:3]).codebook), whole[:3], rtol=1e-5)


def test_masked_positions_do_not_count_in_the_mean():
    quantizer, z = built(3), normal(4, 5, 3)
    mask = np.broadcast_to(np.arange(5) < 3, (4, 5))
    masked = quantizer(np.where(mask[..., None], z, 50.0), mask=mask).codebook
    np.testing.assert_allclose(numpy(masked), numpy(quantizer(z[:, :3]).codebook), rtol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("num_bits", 0),
        ("num_bits", 31),
        ("num_bits", 2.0),
        ("diversity_weight", -1.0),
        ("diversity_weight", "1"),
        ("temperature", 0.0),
        ("temperature", None),
    ],
)
def test_arguments_are_checked(argument, value):
    with pytest.raises(ValueError, match=f"`{argument}` must be"):
        LookupFreeQuantizer(**{"num_bits": 3, argument: value})
