import numpy as np
import pytest
from keras import ops

from keras_vae.quantizers import GroupedQuantizer
from keras_vae.quantizers import LookupFreeQuantizer


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_each_group_of_channels_is_quantized_by_itself():
    parts = [LookupFreeQuantizer(2), LookupFreeQuantizer(2)]
    quantizer = GroupedQuantizer(parts)
    z_e = np.random.default_rng(0).normal(size=(3, 5, 6)).astype("float32")
    quantized = quantizer(z_e)
    first, second = parts[0](z_e[..., :3]), parts[1](z_e[..., 3:])
    np.testing.assert_array_equal(numpy(quantized.z_q)[..., :3], numpy(first.z_q))
    np.testing.assert_array_equal(numpy(quantized.z_q)[..., 3:], numpy(second.z_q))
    np.testing.assert_array_equal(numpy(quantized.indices)[..., 0], numpy(first.indices))
    np.testing.assert_array_equal(numpy(quantized.indices)[..., 1], numpy(second.indices))
    for cost in ("commitment", "codebook"):
        expected = numpy(getattr(first, cost)) + numpy(getattr(second, cost))
        np.testing.assert_allclose(numpy(getattr(quantized, cost)), expected, rtol=1e-6)


def test_channels_must_be_a_multiple_of_the_groups():
    quantizer = GroupedQuantizer([LookupFreeQuantizer(2) for _ in range(3)])
    with pytest.raises(ValueError, match=r"multiple of the 3 `quantizers`.*\(None, 5, 4\)"):
        quantizer.build((None, 5, 4))
