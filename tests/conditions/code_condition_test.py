import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.conditions.code_condition import CodeCondition

CODES = np.array([[[0, 4], [2, 2], [1, 0]], [[3, 3], [0, 1], [2, 4]]])  # (2, 3, 2)


def condition():
    layer = CodeCondition((3, 2), num_embeddings=5, embedding_dim=2)
    layer.set_weights([np.arange(10.0).reshape(5, 2)])
    return layer


def test_each_code_becomes_its_vector():
    expected = np.stack([2.0 * CODES, 2.0 * CODES + 1], axis=-1)
    for codes in (CODES, CODES.astype("float32"), CODES.astype("uint8")):
        np.testing.assert_array_equal(ops.convert_to_numpy(condition()(codes)), expected)


def test_shapes():
    layer = condition()
    assert layer.shape == (3, 2, 2)
    assert layer(layer.symbolic()).shape == (None, 3, 2, 2)


def test_checked_codes_keep_their_values():
    for codes in (CODES, CODES.tolist(), CODES.astype("float64")):
        checked = condition().check(codes, 2)
        assert checked.dtype == np.int32
        np.testing.assert_array_equal(checked, CODES)


def test_one_grid_stands_for_all():
    np.testing.assert_array_equal(condition().check_for(CODES[1], 3), CODES[[1, 1, 1]])
    with pytest.raises(ValueError, match="condition is missing"):
        condition().check_for(None, 3)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("bad", [5, -1, 0.5, np.nan])
def test_a_bad_code_is_named_with_its_index(bad):
    codes = CODES.astype("float64")
    codes[1, 2, 0] = bad
    message = rf"`y` holds 1 .* \({float(bad)}\) at index \(1, 2, 0\).* from 0 to 4, .* \(N, 3, 2\)"
    with pytest.raises(ValueError, match=message):
        condition().check(codes, 2, "y")


def test_bad_shapes_and_numbers():
    for codes in (CODES[:, :2], CODES[..., None], np.array([["a", "b"]] * 3)[None]):
        with pytest.raises(ValueError, match="wrong shape or type"):
            condition().check(codes, None)
    with pytest.raises(ValueError, match=r"each of the 3 examples\. Received: 2"):
        condition().check(CODES, 3)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "arguments", [{"shape": (0, 2)}, {"num_embeddings": 1}, {"embedding_dim": 0}]
)
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        CodeCondition(**{"shape": (3, 2), "num_embeddings": 5, **arguments})


def test_config_makes_the_same_condition():
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(condition()))
    assert again.get_config() == condition().get_config() | {"name": again.name}
    assert again.shape == condition().shape
