from pathlib import Path

import numpy as np
import pytest

from keras_vae.datasets.local import find
from keras_vae.datasets.local import is_local
from keras_vae.datasets.local import read_local

pytestmark = pytest.mark.one_backend


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KERAS_VAE_DATA_DIR", raising=False)


def test_what_is_a_path():
    assert is_local("frey_faces.npz")
    assert is_local("./photos")
    assert is_local("~/photos")
    assert is_local("/data/photos")
    assert is_local(Path("photos"))


def test_what_is_a_name(tmp_path):
    (tmp_path / "mnist").mkdir()
    assert not is_local("mnist")
    assert not is_local("mnist:3.0.1")
    assert not is_local("mnist_corrupted/identity")


def test_a_path_of_several_parts_that_is_there(tmp_path):
    (tmp_path / "photos" / "cats").mkdir(parents=True)
    assert is_local("photos/cats")


def test_the_places_in_their_order(tmp_path, monkeypatch):
    here, given, variable = tmp_path, tmp_path / "given", tmp_path / "variable"
    monkeypatch.setenv("KERAS_VAE_DATA_DIR", str(variable))
    for folder in (variable, given, here):
        folder.mkdir(exist_ok=True)
        (folder / "faces.npz").touch()
        expected = folder / "faces.npz"
        assert find("faces.npz", data_dir=given) == expected
        assert find(expected.resolve()) == expected


def test_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_VAE_DATA_DIR", "/no/such/folder")
    with pytest.raises(FileNotFoundError) as error:
        find("faces.npz", data_dir=tmp_path / "data")
    for place in (tmp_path / "faces.npz", tmp_path / "data/faces.npz", "/no/such/folder/faces.npz"):
        assert str(place) in str(error.value)
    assert "KERAS_VAE_DATA_DIR" in str(error.value)


def test_files_and_folders(tmp_path):
    image = pytest.importorskip("PIL.Image")
    pixels = np.array([[0, 255], [3, 4]], dtype="uint8")
    np.savez("one.npz", images=pixels[None])
    (tmp_path / "photos").mkdir()
    image.fromarray(pixels).save(tmp_path / "photos" / "a.png")
    np.testing.assert_array_equal(read_local(tmp_path / "one.npz")["train"][0], [pixels])
    np.testing.assert_array_equal(read_local(tmp_path / "photos")["train"][0][..., 0], [pixels])
