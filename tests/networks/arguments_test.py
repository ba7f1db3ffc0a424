import keras
import numpy as np
import pytest

from keras_vae.networks import arguments


def test_shapes_become_tuples_of_ints():
    assert arguments.check_shape("input_shape", [np.int64(7), 5, 3]) == (7, 5, 3)
    for shape in ((9,), (64, 2), (5, 28, 28, 1)):
        assert arguments.check_shape("input_shape", shape) == shape
    assert arguments.check_picture_shape("input_shape", (1, 1, 1)) == (1, 1, 1)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "shape, fix",
    [
        (784, r"Received: 784. For vectors of N numbers, use \(N,\)"),
        ((), r"at least one axis.* Received: \(\)"),
        ((28, 0, 1), r"positive integer.* Received: \(28, 0, 1\)"),
        ((28, True, 1), r"positive integer.* Received: \(28, True, 1\)"),
        ((-1, 3, 1), "positive integer"),
        ((None, 28, 1), "no size can be left"),
        ((28.0, 28, 1), "positive integer"),
    ],
)
def test_bad_shapes_name_the_argument_and_the_fix(shape, fix):
    with pytest.raises(ValueError, match="`input_shape` must be .*" + fix):
        arguments.check_shape("input_shape", shape)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "shape, fix",
    [
        ((784,), r"Received: the flat vector \(784,\).*MLPEncoder and MLPDecoder for vectors"),
        ((64, 2), r"Received: \(64, 2\)\. The channel axis is missing: use \(64, 2, 1\)\.$"),
        ((64, 28, 28, 1), r"Received: \(64, .* has 4 axes\. Omit the batch axis"),
        ((28, 0, 1), "positive integer"),
    ],
)
def test_pictures_have_rows_columns_and_channels(shape, fix):
    with pytest.raises(ValueError, match="`output_shape` must be .*" + fix):
        arguments.check_picture_shape("output_shape", shape)


def test_lists_of_counts():
    assert arguments.check_counts("hidden_units", [np.int32(4), 2]) == (4, 2)
    assert arguments.check_counts("hidden_units", ()) == ()
    with pytest.raises(ValueError, match=r"`filters`.*tuple .* Received: 32. .* \(32,\)"):
        arguments.check_counts("filters", 32)
    with pytest.raises(ValueError, match=r"`filters\[1\]` must be .*Received: 0"):
        arguments.check_counts("filters", (32, 0))
    with pytest.raises(ValueError, match=r"`filters`.*at least one stage\. Received: \(\)"):
        arguments.check_stages("filters", ())


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("value", [0, 4, 2.0, True, None])
def test_encoders_have_one_to_three_outputs(value):
    with pytest.raises(ValueError, match=f"`num_outputs` must be .*Received: {value!r}"):
        arguments.check_num_outputs("num_outputs", value)


def test_checks_go_by_the_name_of_the_argument():
    given = {"latent_dim": np.int64(2), "condition_shape": None, "activation": keras.ops.tanh}
    assert arguments.checked(given) == {**given, "latent_dim": 2, "activation": "tanh"}
    with pytest.raises(ValueError, match=r"`kernel_size`.*positive integer\. Received: 0"):
        arguments.checked({"latent_dim": 2, "kernel_size": 0})
    shape = {"input_shape": (64, 2)}
    assert arguments.checked(shape) == shape
    with pytest.raises(ValueError, match="The channel axis is missing"):
        arguments.checked(shape, arguments.PICTURE_CHECKS)
