import gradients
import numpy as np
import pytest
from keras import ops

from keras_vae.quantizers import RotationTrick
from keras_vae.quantizers import StraightThrough

ESTIMATORS = [StraightThrough(), RotationTrick()]


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def of_z_and_codes(estimator, z, codes, weights):
    """The gradients of sum(weights * z_q) for z and the codes."""

    def weighted(z, codes):
        return estimator(z, codes) * ops.convert_to_tensor(weights) + 0.0 * codes  # used at least

    return gradients.value_and_gradients(weighted, z, codes)[1]


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_the_value_is_exactly_the_code(estimator, scale):
    z, codes = scale * normal(2, 5, 3), normal(2, 5, 3, seed=1)
    value = estimator(*map(ops.convert_to_tensor, (z, codes)))
    np.testing.assert_array_equal(ops.convert_to_numpy(value), codes)


def test_straight_through_is_the_identity():
    weights = normal(2, 5, 3, seed=2)
    of_z, of_codes = of_z_and_codes(
        StraightThrough(), normal(2, 5, 3), normal(2, 5, 3, seed=1), weights
    )
    np.testing.assert_array_equal(of_z, weights)
    np.testing.assert_array_equal(of_codes, 0)


def scaled_rotation(z, code):
    """The matrix of Fifty et al., section 4.2, that takes z to its code."""
    z_unit, code_unit = z / np.linalg.norm(z), code / np.linalg.norm(code)
    r = (z_unit + code_unit) / np.linalg.norm(z_unit + code_unit)
    rotation = np.eye(len(z)) - 2 * np.outer(r, r) + 2 * np.outer(code_unit, z_unit)
    return np.linalg.norm(code) / np.linalg.norm(z) * rotation


def test_the_rotation_trick_agrees_with_the_matrix():
    z, codes, weights = normal(10, 4), normal(10, 4, seed=1), normal(10, 4, seed=2)
    of_z, of_codes = of_z_and_codes(RotationTrick(), z, codes, weights)
    matrices = [scaled_rotation(*pair) for pair in zip(z, codes, strict=True)]
    for matrix, row, code in zip(matrices, z, codes, strict=True):
        np.testing.assert_allclose(matrix @ row, code, atol=1e-5)
    expected = [m.T @ w for m, w in zip(matrices, weights, strict=True)]
    np.testing.assert_allclose(of_z, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(of_codes, 0)


def test_the_angle_between_gradient_and_code_becomes_that_between_gradient_and_z():
    z, codes, weights = normal(10, 4), normal(10, 4, seed=1), normal(10, 4, seed=2)
    of_z, _ = of_z_and_codes(RotationTrick(), z, codes, weights)

    def cosines(a, b):
        return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)

    np.testing.assert_allclose(cosines(of_z, z), cosines(weights, codes), atol=1e-5)


def test_nothing_is_infinite_where_there_is_no_angle():
    z, codes = normal(3, 4), normal(3, 4, seed=1)
    z[0], codes[1], codes[2] = 0, 0, -z[2]
    weights = normal(3, 4, seed=2)
    of_z, _ = of_z_and_codes(RotationTrick(), z, codes, weights)
    np.testing.assert_array_equal(of_z[:2], [weights[0], np.zeros(4)])
    assert np.isfinite(of_z[2]).all()
    assert np.linalg.norm(of_z[2]) == pytest.approx(np.linalg.norm(weights[2]), rel=1e-5)
