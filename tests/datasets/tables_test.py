import numpy as np
import pytest

from keras_vae.datasets import load_table
from keras_vae.datasets.csv_tables import write_table

pytestmark = pytest.mark.one_backend

RNG = np.random.default_rng(0)
TABLE = {
    "id": [f"n{i}" for i in range(100)],
    "city": RNG.choice(["Bonn", "Ulm"], 100).tolist(),
    "rent": [None, *RNG.normal(600, 20, 99).tolist()],
    "odd": [int(i % 10 == 0) for i in range(100)],
}


@pytest.fixture
def folder(tmp_path):
    write_table(tmp_path / "rents.csv", TABLE)
    return tmp_path


def test_rows_in_fixed_parts(folder):
    data = load_table("rents.csv", without=["id", "odd"], data_dir=folder)
    assert data.schema.names == ["city", "rent"]
    assert (data.train.x.shape, data.test.x.shape) == ((90, 2), (10, 2))
    rents = np.concatenate([data.train.x[:, 1], data.test.x[:, 1]])
    assert np.isnan(rents).sum() == 1
    again = load_table(folder / "rents.csv", without=["odd", "id"])
    np.testing.assert_array_equal(again.train.x, data.train.x)


def test_numbers_are_standardised_by_the_training_part(folder):
    x = load_table(folder / "rents.csv", without=["id"]).train.x[:, 1]
    assert np.nanmean(x) == pytest.approx(0, abs=1e-5)
    assert np.nanstd(x) == pytest.approx(1, abs=1e-5)


def test_outliers_are_in_the_test_part_only(folder):
    data = load_table(folder / "rents.csv", without=["id"], outliers="odd")
    assert data.schema.names == ["city", "rent"]
    assert (len(data.train), len(data.test), data.test.y.sum()) == (81, 19, 10)


def test_a_matrix_of_counts(folder):
    counts = RNG.poisson(5, (50, 3))
    np.savez(folder / "cells.npz", counts=counts, genes=["a", "b", "c"], y=np.arange(50) < 5)
    data = load_table(folder / "cells.npz", kinds={"*": "count", "b": "ordinal"})
    assert [c.kind for c in data.schema.columns] == ["count", "ordinal", "count"]
    assert data.schema.names == ["a", "b", "c"]
    assert load_table(folder / "cells.npz", outliers="y").test.y.sum() == 5


@pytest.mark.parametrize(
    ("genes", "words"),
    [
        (["a", "b", "a"], "3 names.*more than once: a"),
        (["a", "b"], "2 names.*more than once: none"),
    ],
)
def test_each_column_of_a_matrix_has_a_name_of_its_own(folder, genes, words):
    np.savez(folder / "cells.npz", counts=np.ones((50, 3), int), genes=genes)
    with pytest.raises(ValueError, match=rf"each of its 3 columns once.*{words}"):
        load_table(folder / "cells.npz")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"without": ["town"]}, "`column`.*town"),
        ({"outliers": "town"}, "`column`.*town"),
        ({"kinds": {"town": "real"}}, "town"),
    ],
)
def test_a_column_that_is_not_there(folder, options, words):
    with pytest.raises(ValueError, match=words):
        load_table(folder / "rents.csv", **options)


def test_a_file_without_a_matrix(folder):
    np.savez(folder / "bad.npz", images=np.zeros((2, 3, 3)))
    with pytest.raises(ValueError, match=r"named `x`, `X` or `counts`.*images"):
        load_table(folder / "bad.npz")


def test_an_npz_that_cannot_be_read(folder):
    (folder / "text.npz").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.npz cannot be read.*not an archive.*x=\.\.\."):
        load_table(folder / "text.npz")
