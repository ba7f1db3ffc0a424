import numpy as np
import pytest
from rents import TABLE

import keras_vae
from keras_vae.cli.main import main
from keras_vae.cli.tables import text_of
from keras_vae.cli.tables import values_of
from keras_vae.datasets.csv_tables import read_table
from keras_vae.datasets.csv_tables import write_table

pytestmark = [pytest.mark.one_backend, pytest.mark.usefixtures("in_a_folder")]


def test_sample_writes_rows(preset, capsys):
    assert main(["sample", preset, "--rows", "50", "--seed", "0"]) == 0
    assert "Wrote samples.csv" in capsys.readouterr().out
    rows = read_table("samples.csv").values()
    assert list(rows) == ["city", "rent", "rooms"]
    assert set(rows["city"]) == {"Bonn", "Ulm"}
    assert len(rows["rent"]) == 50
    is_bonn, rents = np.array(rows["city"]) == "Bonn", np.array(rows["rent"])
    assert rents[is_bonn].mean() > rents[~is_bonn].mean() + 200


def test_sample_given_values(preset):
    options = ["--rows", "40", "--where", "city=Ulm", "--where", "rooms=3", "--output", "ulm.tsv"]
    assert main(["sample", preset, *options, "--seed", "0"]) == 0
    rows = read_table("ulm.tsv").values()
    assert set(rows["city"]) == {"Ulm"}
    assert set(rows["rooms"]) == {3}
    assert 500 < np.mean(rows["rent"]) < 700


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--where", "town=Ulm"], "--where takes COLUMN=VALUE, with one of the columns city, rent"),
        (["--where", "city"], "--where takes COLUMN=VALUE"),
        (["--where", "city=Rome"], "Expected: one of 'Bonn', 'Ulm'"),
        (["--label", "1"], "--label is for models of pictures"),
        (["--data", "other.csv"], "leave --data out"),
        (["--output", "rows.png"], "--output must end in .csv or .tsv"),
    ],
)
def test_what_cannot_be_sampled(preset, capsys, options, words):
    assert main(["sample", preset, *options]) == 2
    assert words in capsys.readouterr().err


def test_where_is_for_tables(capsys):
    assert main(["sample", "vae_mnist_mini", "--where", "sex=F"]) == 2
    assert "--where is for models of tables" in capsys.readouterr().err


def test_a_preset_of_pictures_has_no_rows(capsys):
    write_table("new.csv", TABLE)
    assert main(["score", "vae_mnist_mini", "--data", "new.csv"]) == 2
    assert "not a model of the rows of a table" in capsys.readouterr().err


def test_values_keep_the_type_of_the_schema():
    schema = keras_vae.TableSchema.infer(TABLE)
    assert values_of(schema, ("city=Ulm", "rooms=3", "rent=600")) == {
        "city": "Ulm",
        "rooms": 3,
        "rent": "600",
    }


def test_numbers_have_the_digits_of_float32():
    assert text_of(0.1 + 0.2) == "0.3"
    assert text_of(7) == 7
    assert text_of(None) is None


def test_train_on_a_table(capsys):
    write_table("rents.csv", {"id": [f"n{i}" for i in range(300)], **TABLE})
    options = ["--smoke", "--set", "data.kinds.rooms=count", "--output", "run"]
    assert main(["train", "--data", "rents.csv", *options]) == 0
    out = capsys.readouterr().out
    assert "categorical city" in out
    assert "left out    id" in out
    model = keras_vae.from_preset("run")
    assert [c.kind for c in model.likelihood.schema.columns] == ["categorical", "real", "count"]
    assert main(["score", "run", "--data", "rents.csv", "--num-samples", "4"]) == 0


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("absent.csv", [], "absent.csv"),
        ("rents.csv", ["--model", "vae"], "Models of tables do not take --model"),
        ("rents.parquet", [], ".csv or .tsv"),
    ],
)
def test_what_cannot_be_trained_on(capsys, name, options, words):
    write_table("rents.csv", TABLE)
    assert main(["train", "--data", name, *options]) == 2
    assert words in capsys.readouterr().err
