import numpy as np
import pytest

from keras_vae import frames

pytestmark = pytest.mark.one_backend

ROWS = {"age": [31, 44, None], "sex": ["F", None, "M"]}


def native(library):
    return pytest.importorskip(library).DataFrame(ROWS)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_of_any_library_give_the_same_columns(library):
    pytest.importorskip("narwhals")
    columns = frames.columns_of(native(library))
    assert list(columns) == ["age", "sex"]
    assert columns["sex"][0] == "F"
    assert columns["age"][1] == 44
    np.testing.assert_array_equal(frames.is_missing(columns["age"]), [False, False, True])
    np.testing.assert_array_equal(frames.is_missing(columns["sex"]), [False, True, False])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_is_made_of_the_library_of_another(library):
    pytest.importorskip("narwhals")
    like = native(library)
    made = frames.frame_like({"a": [1, 2]}, like)
    assert type(made) is type(like)
    assert list(made["a"]) == [1, 2]
    assert frames.frame_like({"a": [1]}, {}) == {"a": [1]}


def test_arrays_and_dicts():
    assert list(frames.columns_of(np.zeros((2, 3)))) == ["0", "1", "2"]
    assert frames.columns_of(np.ones((2, 1)), ["a"])["a"].tolist() == [1.0, 1.0]


def test_what_is_no_table():
    with pytest.raises(ValueError, match="data frame, a dict of columns or an array"):
        frames.columns_of(np.zeros(3))
    with pytest.raises(ValueError, match="one length"):
        frames.columns_of({"a": [1], "b": [1, 2]})
    with pytest.raises(ValueError, match="must have 1 columns"):
        frames.columns_of(np.zeros((2, 2)), ["a"])
