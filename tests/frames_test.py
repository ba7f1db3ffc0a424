from decimal import Decimal
from fractions import Fraction

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


def test_names_of_columns_may_be_numbers():
    pytest.importorskip("narwhals")
    frame = pytest.importorskip("pandas").DataFrame({7: [1.5, 2.5], 0: ["a", "b"]}, index=[3, 4])
    columns = frames.columns_of(frame)
    assert {name: list(values) for name, values in columns.items()} == {
        "7": [1.5, 2.5],
        "0": ["a", "b"],
    }
    assert list(frames.frame_like({"7": [1], "0": ["a"], "new": [2]}, frame)) == [7, 0, "new"]


def test_a_frame_of_the_same_rows_keeps_their_index():
    pytest.importorskip("narwhals")
    like = pytest.importorskip("pandas").DataFrame(ROWS, index=["x", "y", "z"])
    made = frames.frame_like({"age": [1, 2, 3]}, like, keep_index=True)
    assert list(made.index) == ["x", "y", "z"]
    assert list(frames.frame_like({"age": [1, 2]}, like).index) == [0, 1]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_numeric_frames_are_told_by_the_types_of_their_columns(library):
    pytest.importorskip("narwhals")
    made = pytest.importorskip(library).DataFrame
    assert frames.is_numeric(made({"a": [1, 2], "b": [0.5, 1.5]}))
    assert not frames.is_numeric(made({"a": [1, 2], "b": ["x", "y"]}))
    assert not frames.is_numeric(made({"a": [True, False]}))


def test_values_are_plain_numbers_texts_or_booleans():
    values = [np.float32(0.5), np.True_, np.str_("a"), Decimal("0.1"), Fraction(1, 4)]
    assert [frames.plain(value) for value in values] == [0.5, True, "a", 0.1, 0.25]
    for value in (np.datetime64("2020-01-01"), np.timedelta64(1, "D"), 1j, b"a", [1]):
        with pytest.raises(TypeError, match="not a number, text or boolean"):
            frames.plain(value)


def test_arrays_and_dicts():
    assert list(frames.columns_of(np.zeros((2, 3)))) == ["0", "1", "2"]
    assert frames.columns_of(np.ones((2, 1)), ["a"])["a"].tolist() == [1.0, 1.0]


def test_what_is_no_table():
    with pytest.raises(ValueError, match="data frame, a dict of columns or an array"):
        frames.columns_of(np.zeros(3))
    with pytest.raises(ValueError, match="same length"):
        frames.columns_of({"a": [1], "b": [1, 2]})
    with pytest.raises(ValueError, match="must have 1 columns"):
        frames.columns_of(np.zeros((2, 2)), ["a"])
