import numpy as np
import pytest
from keras import ops

from keras_vae.quantizers.projected_quantizer import ProjectedQuantizer
from keras_vae.quantizers.projected_quantizer import quantized
from keras_vae.quantizers.projected_quantizer import where


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


class Constant(ProjectedQuantizer):
    """Two codes: all zeros and all ones."""

    def __init__(self, code_dim):
        super().__init__()
        self.code_dim = code_dim

    def codes_of(self, indices):
        return (
            ops.ones((*indices.shape, self.code_dim or 4)) * ops.cast(indices, "float32")[..., None]
        )


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("code_dim", [None, 4])
def test_there_is_no_layer_where_dimensions_agree(code_dim):
    quantizer = Constant(code_dim)
    quantizer.build((None, 3, 4))
    assert not quantizer.weights
    np.testing.assert_array_equal(numpy(quantizer.embed(np.array([1, 0]))), [[1] * 4, [0] * 4])


def test_codes_are_projected_and_nothing_is_zero():
    quantizer = Constant(2)
    quantizer.build((None, 3, 4))
    kernel, bias = quantizer.project_out.weights
    bias.assign(np.ones(4))
    expected = [numpy(kernel).sum(axis=0) + 1, np.ones(4), np.zeros(4)]
    measured = numpy(quantizer.embed(np.array([1, 0, -1])))
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


def test_costs_are_summed_where_the_mask_is_true():
    costs = np.arange(6, dtype="float32").reshape(2, 3)
    z_q, indices = np.ones((2, 3, 4), "float32"), np.ones((2, 3), "int32")
    mask = np.array([[True, True, False], [False, False, True]])
    masked = quantized(*map(ops.convert_to_tensor, (z_q, indices, costs, 2 * costs, mask)))
    np.testing.assert_array_equal(numpy(masked.z_q), z_q * mask[..., None])
    np.testing.assert_array_equal(numpy(masked.indices), np.where(mask, 1, -1))
    np.testing.assert_array_equal(numpy(masked.commitment), [1, 5])
    np.testing.assert_array_equal(numpy(masked.codebook), [2, 10])
    unmasked = quantized(*map(ops.convert_to_tensor, (z_q, indices, costs, costs)), None)
    np.testing.assert_array_equal(numpy(unmasked.commitment), [3, 12])


def test_where_keeps_the_dtype():
    mask = np.array([True, False])
    indices = ops.convert_to_tensor(np.array([3, 4], "int32"))
    np.testing.assert_array_equal(numpy(where(mask, indices, -1)), [3, -1])
    assert numpy(where(mask, indices, -1)).dtype == "int32"
