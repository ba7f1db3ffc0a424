import json
import os

import numpy as np
import pytest

from keras_vae.cli.writing import write_arrays
from keras_vae.cli.writing import write_json

pytestmark = pytest.mark.one_backend

ARRAYS = {"originals": np.arange(3), "images": np.ones((2, 2), "float32")}


def test_numbers_and_arrays_in_a_folder_that_is_made(tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    write_json(folder / "n.json", {"nll": 1.5})
    assert json.loads((folder / "n.json").read_text()) == {"nll": 1.5}
    write_arrays(folder / "x.npz", ARRAYS)
    with np.load(folder / "x.npz") as file:
        assert {k: v.tolist() for k, v in file.items()} == {
            k: v.tolist() for k, v in ARRAYS.items()
        }
    write_arrays(folder / "x.npy", ARRAYS)
    np.testing.assert_array_equal(np.load(folder / "x.npy"), ARRAYS["images"])
    assert capsys.readouterr().out.count("Wrote ") == 3


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x.json"])
def test_an_interruption_leaves_the_file_that_was_there(tmp_path, monkeypatch, name):
    def crash(*args):
        raise KeyboardInterrupt

    path = tmp_path / name
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        write_json(path, {}) if name == "x.json" else write_arrays(path, ARRAYS)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [name]
