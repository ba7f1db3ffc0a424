import keras
import pytest

if keras.config.backend() != "torch":
    pytest.skip("runs on PyTorch", allow_module_level=True)

import torch

from keras_vae.steps import torch_layers

L = keras.layers


@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"groups": 2}, {"dilation_rate": 2}])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "float64"])
def test_a_convolution_by_itself_equals_its_layer(dtype, options):
    layer = L.Conv2D(4, 3, activation="relu", dtype=dtype, **options)
    layer.build((None, 6, 7, 2))
    x = torch.linspace(-1, 1, 3 * 6 * 7 * 2).reshape(3, 6, 7, 2)
    x = x.to(getattr(torch, layer.compute_dtype))
    found, expected = torch_layers.convolution(layer)(x), layer(x)
    assert found.dtype == expected.dtype
    torch.testing.assert_close(found, expected)
