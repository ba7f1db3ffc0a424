import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.layers.subpixel import SubpixelUpsampling2D


def pictures(shape=(2, 3, 4, 5)):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def numpy_depth_to_space(x):
    batch, height, width, channels = x.shape
    y = np.zeros((batch, 2 * height, 2 * width, channels // 4), x.dtype)
    for r in range(2):
        for s in range(2):
            first = (2 * r + s) * channels // 4
            y[:, r::2, s::2] = x[..., first : first + channels // 4]
    return y


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("size", [(6, 8), (5, 8), (6, 7), (5, 7)])
def test_lays_channels_out_as_pixels_and_crops(size):
    x = pictures()
    layer = SubpixelUpsampling2D(3, kernel_size=1, target_size=size)
    layer.build(x.shape)
    kernel = np.random.default_rng(1).normal(size=(1, 1, 5, 12)).astype("float32")
    layer.set_weights([kernel, np.arange(12.0)])
    y = ops.convert_to_numpy(layer(x))
    expected = numpy_depth_to_space(x @ kernel[0, 0] + np.arange(12))[:, : size[0], : size[1]]
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


def test_equals_the_transposed_convolution_of_kernel_and_stride_two():
    x = pictures()
    transposed = keras.layers.Conv2DTranspose(
        3, 2, strides=2, use_bias=False, data_format="channels_last"
    )
    expected = ops.convert_to_numpy(transposed(x))
    layer = SubpixelUpsampling2D(3, kernel_size=1, use_bias=False)
    layer.build(x.shape)
    kernel = np.transpose(transposed.get_weights()[0], (3, 0, 1, 2))  # (in, 2, 2, out)
    layer.set_weights([kernel.reshape(1, 1, 5, 12)])
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, rtol=1e-5, atol=1e-5)


def test_starts_without_checkerboard():
    y = ops.convert_to_numpy(SubpixelUpsampling2D(3)(pictures()))
    assert y.std() > 0.1
    for r, s in ((0, 1), (1, 0), (1, 1)):
        assert np.array_equal(y[:, r::2, s::2], y[:, ::2, ::2])


def test_kernel_starts_at_the_scale_of_one_sub_pixel():
    layer = SubpixelUpsampling2D(64, kernel_size=3)
    layer.build((None, 4, 4, 64))
    glorot = np.sqrt(2 / (9 * 64 + 9 * 64))  # fans of 64 filters, not of 4 * 64
    assert np.std(layer.get_weights()[0]) == pytest.approx(glorot, rel=0.02)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("target", [(4, 8), (6, 9), (3, 4)])
def test_unreachable_target_raises(target):
    message = (
        r"`target_size` must be twice .* the input is \(3, 4\), so at most \(6, 8\)\. Received"
    )
    with pytest.raises(ValueError, match=message):
        SubpixelUpsampling2D(3, target_size=target)(pictures())


def test_unknown_size_is_doubled_and_has_no_target():
    assert SubpixelUpsampling2D(3)(keras.Input((None, None, 5))).shape == (None, None, None, 3)
    with pytest.raises(ValueError, match=r"known \(height, width\)"):
        SubpixelUpsampling2D(3, target_size=(5, 7))(keras.Input((None, None, 5)))


def test_config_round_trip():
    layer = SubpixelUpsampling2D(
        3, 5, (5, 7), "tanh", use_bias=False, kernel_initializer="he_normal", dtype="mixed_bfloat16"
    )
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    assert again.target_size == (5, 7)
    assert again(pictures()).shape == (2, 5, 7, 3)
