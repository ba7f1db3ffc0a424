import gradients
import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.quantizers import RotationTrick
from keras_vae.quantizers import StraightThrough
from keras_vae.quantizers.codebook_quantizer import CodebookQuantizer

pytestmark = pytest.mark.compiled_once

CODES = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]], "float32")
Z = np.array([[[0.2, 0.1], [0.9, -0.5]], [[0.0, 2.0], [-1.0, 0.0]]], "float32")
INDICES = [[0, 1], [2, 0]]


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@keras.saving.register_keras_serializable(package="tests")
class Given(CodebookQuantizer):
    """Three codes of two dimensions."""

    def call(self, z_e, codes=CODES):
        return self.nearest(ops.convert_to_tensor(z_e), ops.convert_to_tensor(codes), None)

    def codes(self):
        return ops.convert_to_tensor(CODES)


def built(**options):
    quantizer = Given(3, **options)
    quantizer.build((None, 2, 2))
    return quantizer


def test_by_hand():
    z_q, indices, commitment, codebook = built().call(Z)
    np.testing.assert_array_equal(numpy(indices), INDICES)
    np.testing.assert_array_equal(numpy(z_q), CODES[np.array(INDICES)])
    for cost in (commitment, codebook):
        np.testing.assert_allclose(numpy(cost), [0.05 + 0.01 + 0.25, 1 + 1], rtol=1e-6)
    np.testing.assert_array_equal(numpy(built().embed(indices)), numpy(z_q))


def gradients_of(name):
    """The gradients of an output, times weights, for z and the codes."""
    weights = normal(2, 2, 2) if name == "z_q" else np.array([1.0, 2.0], "float32")

    def weighted(z, codes):
        output = getattr(built().call(z, codes), name)
        nothing = 0.0 * ops.sum(z) + 0.0 * ops.sum(codes)  # both are used at least
        return ops.multiply(output, weights) + nothing

    return gradients.value_and_gradients(weighted, Z, CODES)[1]


def test_the_gradient_of_z_q_passes_straight_through_to_z_and_not_to_the_codes():
    of_z, of_codes = gradients_of("z_q")
    np.testing.assert_array_equal(of_z, normal(2, 2, 2))
    np.testing.assert_array_equal(of_codes, 0)


def test_the_commitment_cost_moves_z_alone():
    of_z, of_codes = gradients_of("commitment")
    weights = np.array([1, 2])[:, None, None]
    np.testing.assert_allclose(of_z, 2 * weights * (Z - CODES[np.array(INDICES)]), rtol=1e-6)
    np.testing.assert_array_equal(of_codes, 0)


def test_the_codebook_cost_moves_the_codes_alone():
    of_z, of_codes = gradients_of("codebook")
    np.testing.assert_array_equal(of_z, 0)
    expected = [
        2 * (CODES[0] - Z[0, 0]) + 2 * 2 * (CODES[0] - Z[1, 1]),
        2 * (CODES[1] - Z[0, 1]),
        2 * 2 * (CODES[2] - Z[1, 0]),
    ]
    np.testing.assert_allclose(of_codes, expected, rtol=1e-6)


def test_the_gradient_estimator_is_used():
    quantizer = built(gradient=RotationTrick())
    _, (gradient,) = gradients.value_and_gradients(lambda z: quantizer.call(z).z_q, Z)
    assert (gradient != 1).all()
    assert type(built().gradient) is StraightThrough


def test_low_dimensional_codes_are_projected_from_and_to():
    quantizer, z_e = Given(3, code_dim=2), normal(4, 5, 6)
    quantizer.build((None, 5, 6))
    z = numpy(quantizer.project_in(z_e))
    found = quantizer.nearest(ops.convert_to_tensor(z), quantizer.codes(), None)
    indices = np.square(z[..., None, :] - CODES).sum(axis=-1).argmin(axis=-1)
    np.testing.assert_array_equal(numpy(found.indices), indices)
    expected = numpy(quantizer.project_out(CODES[indices]))
    np.testing.assert_array_equal(numpy(found.z_q), expected)
    np.testing.assert_array_equal(numpy(quantizer.embed(indices)), expected)
    distances = np.square(z - CODES[indices]).sum(axis=(1, 2))  # of d dimensions
    np.testing.assert_allclose(numpy(found.commitment), distances, rtol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("shape", [(None, 4), (4,), (None, 7, 7, None)])
def test_an_input_needs_positions_and_known_dimensions(shape):
    with pytest.raises(ValueError, match=r"z_e of shape \(B, \.\.\., D\)"):
        Given(3).build(shape)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("options", [{"num_embeddings": 1}, {"num_embeddings": 2.5}])
def test_number_of_codes_is_checked(options):
    with pytest.raises(ValueError, match=r"`num_embeddings`.*at least 2"):
        Given(**options)


def test_other_arguments_are_checked():
    with pytest.raises(ValueError, match=r"`code_dim`.*positive integer"):
        Given(3, code_dim=0)
    with pytest.raises(ValueError, match="`gradient` must be a GradientEstimator"):
        Given(3, gradient="straight_through")


def test_config_round_trip():
    quantizer = Given(3, code_dim=2, gradient=RotationTrick(), name="codes")
    config = keras.saving.serialize_keras_object(quantizer)
    again = keras.saving.deserialize_keras_object(config)
    assert keras.saving.serialize_keras_object(again) == config
    assert type(again.gradient) is RotationTrick
