import numpy as np
import pytest

from keras_vae.presets.interchange import rows

pytestmark = pytest.mark.one_backend


@pytest.mark.parametrize(
    "kind, shape, expected",
    [
        ("kernel", (2, 3, 5, 7), (5, 7, 3, 2)),
        ("matrix", (2, 3), (3, 2)),
        ("bias_map", (4,), (1, 1, 4)),
        ("same", (2, 3), (2, 3)),
    ],
)
def test_axes_there_and_back(kind, shape, expected):
    row = rows.Row("theirs", "ours", kind)
    tensor = np.arange(float(np.prod(shape))).reshape(shape)
    array = row.to_ours(tensor)
    assert array.shape == expected
    assert np.array_equal(row.to_theirs(array), tensor)


def test_a_kernel_by_hand():
    tensor = np.zeros((2, 3, 5, 7))
    tensor[1, 2, 3, 4] = 1  # from channel 2 to channel 1, at row 3 and column 4
    assert rows.Row("", "", "kernel").to_ours(tensor)[3, 4, 2, 1] == 1


def test_a_matrix_kept_as_a_convolution_of_one_pixel():
    tensor = np.arange(6.0).reshape(2, 3, 1, 1)
    assert np.array_equal(rows.Row("", "", "matrix").to_ours(tensor), tensor[:, :, 0, 0].T)


def test_rows_of_layers():
    assert rows.conv("a", "b", has_bias=False) == [("a.weight", "b/kernel", "kernel")]
    assert rows.conv("a", "b")[1] == ("a.bias", "b/bias", "same")
    assert rows.dense("a", "b")[0] == ("a.weight", "b/kernel", "matrix")
    assert rows.norm("a", "b") == [("a.weight", "b/gamma", "same"), ("a.bias", "b/beta", "same")]
    assert rows.last_conv("a", "decoder")[1] == ("a.bias", "decoder/output_bias/bias", "bias_map")
