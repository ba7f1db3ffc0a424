import pytest
from rents import TABLE

from keras_vae.cli.main import main
from keras_vae.datasets.csv_tables import read_table
from keras_vae.datasets.csv_tables import write_table

pytestmark = [pytest.mark.one_backend, pytest.mark.usefixtures("in_a_folder")]


def test_gaps_are_filled_and_the_rest_stays(preset, capsys):
    rents = ["", "605.123456789", "?"]
    gappy = {"name": ["a", "b", ""], "city": ["Bonn", "", "Ulm"], "rent": rents, "rooms": [1, 2, 3]}
    write_table("gaps.csv", gappy)
    assert main(["impute", preset, "--data", "gaps.csv"]) == 0
    assert "Filled 3 gaps in 3 of 3 rows" in capsys.readouterr().out
    found = read_table("imputed.csv").columns
    assert found["name"].tolist() == ["a", "b", None]
    assert found["city"].tolist() == ["Bonn", "Ulm", "Ulm"]
    assert found["rent"][1] == "605.123456789"
    assert float(found["rent"][0]) == pytest.approx(900, abs=60)
    assert float(found["rent"][2]) == pytest.approx(600, abs=60)


def test_a_table_without_gaps_stays(preset):
    write_table("whole.csv", TABLE)
    assert main(["impute", preset, "--data", "whole.csv", "--output", "again.csv"]) == 0
    assert read_table("again.csv").values() == TABLE


def test_bad_rows_are_named(preset, capsys):
    write_table("gaps.csv", {"city": ["Bonn"], "rent": ["cheap"], "rooms": [1]})
    assert main(["impute", preset, "--data", "gaps.csv"]) == 2
    assert "line 2, column 'rent': 'cheap' is not a finite number" in capsys.readouterr().err


def test_a_row_of_impossible_values_is_named_by_its_line(preset, capsys):
    write_table("gaps.csv", {"city": ["Bonn", ""], "rent": [600, 1e20], "rooms": [1, 1]})
    assert main(["impute", preset, "--data", "gaps.csv"]) == 2
    assert "gaps.csv, line 3, has values that the model considers" in capsys.readouterr().err
