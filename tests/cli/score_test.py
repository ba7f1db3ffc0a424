import numpy as np
import pytest
from rents import TABLE

import keras_vae
from keras_vae.cli.main import main
from keras_vae.datasets.csv_tables import read_table
from keras_vae.datasets.csv_tables import write_table

pytestmark = [pytest.mark.one_backend, pytest.mark.usefixtures("in_a_folder")]


def test_scores_are_those_of_the_model(preset, capsys):
    write_table("new.csv", {**TABLE, "name": ["n"] * 300})
    assert main(["score", preset, "--data", "new.csv", "--columns", "--num-samples", "16"]) == 0
    assert "300 rows, mean" in capsys.readouterr().out
    found, model = read_table("scores.csv").values(), keras_vae.from_preset(preset)
    x = read_table("new.csv").encoded(model.likelihood.schema)
    np.testing.assert_allclose(found["score"], model.score(x, num_samples=16), rtol=1e-5)
    of_columns = model.score_per_feature(x, num_samples=16)
    np.testing.assert_allclose(found["score of rent"], of_columns[:, 1], rtol=1e-5)
    assert found["line"][:2] == [2, 3]


def test_the_odd_row_is_named_by_its_line(preset, capsys):
    table = {name: values[:20] for name, values in TABLE.items()}
    table["rent"] = [*table["rent"][:7], 1e6, *table["rent"][8:]]
    write_table("new.csv", table)
    assert main(["score", preset, "--data", "new.csv", "--output", "s.csv"]) == 0
    assert "Least likely: line 9 (" in capsys.readouterr().out


def test_the_bound_lies_below(preset):
    write_table("new.csv", TABLE)
    for method in ("likelihood", "bound"):
        arguments = ["--data", "new.csv", "--method", method, "--output", f"{method}.csv"]
        assert main(["score", preset, *arguments]) == 0
    likelihood, bound = (read_table(f"{m}.csv").values() for m in ("likelihood", "bound"))
    assert np.mean(bound["score"]) < np.mean(likelihood["score"])


def test_bad_rows_are_named(preset, capsys):
    write_table("new.csv", {"city": ["Bonn", "Rome"], "rent": ["1", "x"], "rooms": [1, 2]})
    assert main(["score", preset, "--data", "new.csv"]) == 2
    error = capsys.readouterr().err
    assert "line 3, column 'city': 'Rome' is not one of 'Bonn', 'Ulm'" in error
    assert "line 3, column 'rent': 'x' is not a finite number" in error


def test_the_output_is_a_table(preset, capsys):
    assert main(["score", preset, "--data", "new.csv", "--output", "scores.png"]) == 2
    assert "--output must end in .csv or .tsv" in capsys.readouterr().err
