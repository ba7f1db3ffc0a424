import numpy as np
import pytest

from keras_vae import TableSchema
from keras_vae.datasets.csv_tables import is_table
from keras_vae.datasets.csv_tables import read_table
from keras_vae.datasets.csv_tables import value_of
from keras_vae.datasets.csv_tables import write_table

pytestmark = pytest.mark.one_backend

TEXT = """city,rent,visits,member,grade
Bonn,900.5,30,true,1
"Ulm, old town",?,31,false,2
Ulm,600,,TRUE,3

Bonn,1e3,29,NA,1
"""


def written(tmp_path, text=TEXT, name="table.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_cells_are_read_with_their_lines(tmp_path):
    table = read_table(written(tmp_path))
    assert table.lines == [2, 3, 4, 6]
    values = table.values()
    assert values["city"] == ["Bonn", "Ulm, old town", "Ulm", "Bonn"]
    assert values["rent"] == [900.5, None, 600.0, 1000.0]
    assert values["visits"] == [30, 31, None, 29]
    assert values["member"] == [True, False, True, None]


def test_a_column_known_to_be_categorical_stays_text(tmp_path):
    assert read_table(written(tmp_path)).values({"grade": "categorical"})["grade"][0] == "1"


def test_tabs_and_a_byte_order_mark(tmp_path):
    path = written(tmp_path, "\ufeffa\tb\n1\t2\n", "table.tsv")
    assert read_table(path).values() == {"a": [1], "b": [2]}


def test_rows_are_encoded_as_those_of_the_values(tmp_path):
    table = read_table(written(tmp_path))
    schema = TableSchema.infer(table.values())
    np.testing.assert_array_equal(table.encoded(schema), schema.encode(table.values()))
    more = read_table(written(tmp_path, TEXT.replace("true,1", "true,1.0"), "more.csv"))
    np.testing.assert_array_equal(more.encoded(schema), table.encoded(schema))


def test_bad_values_are_named_by_line_and_column(tmp_path):
    schema = TableSchema.infer(read_table(written(tmp_path)).values(), {"visits": "count"})
    text = TEXT.replace("600", "cheap").replace("Bonn,1e3,29", "Rome,1e3,-2")
    with pytest.raises(ValueError, match="do not fit") as error:
        read_table(written(tmp_path, text)).encoded(schema)
    found = str(error.value)
    assert "line 4, column 'rent': 'cheap' is not a finite number" in found
    assert "line 6, column 'city': 'Rome' is not one of 'Bonn'" in found
    assert "line 6, column 'visits': '-2' is not a whole number" in found


def test_many_bad_values_are_counted(tmp_path):
    schema = TableSchema.infer({"a": [1.5, 2.5, 9.5]})
    path = written(tmp_path, "a\n" + "x\n" * 12)
    with pytest.raises(ValueError, match=r"line 6, column 'a'.*; and 7 more"):
        read_table(path).encoded(schema)


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "new" / "rows.csv"
    write_table(path, {"a": [1, None], "b": ["x, y", 'say "z"']})
    assert read_table(path).values() == {"a": [1, None], "b": ["x, y", 'say "z"']}


def test_a_category_by_its_text():
    assert value_of("3", (1, 3)) == 3
    assert value_of("true", (False, True)) is True
    assert value_of("Rome", ("Bonn", "Ulm")) == "Rome"


def test_endings():
    assert is_table("a/B.CSV")
    assert not is_table("photos")


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("a,b\n1,2\n1\n", "t.csv", r"t\.csv, line 3: expected 2 cells.*Received: 1"),
        ("a,a\n1,2\n", "t.csv", r"duplicate names \['a'\]"),
        ("a,b\n", "t.csv", "no rows"),
        ("", "t.csv", "no rows"),
        ("a\n1\n", "t.txt", r"\.csv or \.tsv"),
    ],
)
def test_what_is_no_table(tmp_path, text, name, words):
    with pytest.raises(ValueError, match=words):
        read_table(written(tmp_path, text, name))


def test_an_absent_file_and_one_that_is_not_text(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        read_table(tmp_path / "absent.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(ValueError, match="cannot be read"):
        read_table(tmp_path / "bytes.csv")


def test_an_absent_column_is_named(tmp_path):
    schema = TableSchema.infer({"rent": [1.5, 2.0], "floor": [1.5, 2.5]})
    with pytest.raises(ValueError, match="lacks the column 'floor'"):
        read_table(written(tmp_path)).encoded(schema)
