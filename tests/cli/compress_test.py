import numpy as np
import pytest
from families import BY_NAME

from keras_vae.cli.main import main

pytestmark = pytest.mark.one_backend


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with the preset `tiny`, and digits.npy."""
    pytest.importorskip("constriction")
    monkeypatch.chdir(tmp_path)
    BY_NAME["vae"].model().save_to_preset("tiny")
    np.save("digits.npy", BY_NAME["vae"].data(20))
    for name in ("text.npy", "text.npz"):
        (tmp_path / name).write_text("hello")
    return tmp_path


def test_an_array_comes_back(folder, capsys):
    assert main(["compress", "tiny", "digits.npy"]) == 0
    out = capsys.readouterr().out
    assert "Wrote digits.kvz" in out
    for word in ("bound", "gzip -9", "bz2 -9", "20 examples of 6 x 5 x 1", "lossless"):
        assert word in out
    assert main(["decompress", "tiny", "digits.kvz", "-o", "again.npz"]) == 0
    np.testing.assert_array_equal(np.load("again.npz")["images"], np.load("digits.npy"))


def test_info_of_a_file(folder, capsys):
    main(["compress", "tiny", "digits.npy", "-o", "small/out.kvz"])
    capsys.readouterr()
    assert main(["info", "small/out.kvz"]) == 0
    out = capsys.readouterr().out
    assert "bits per dimension" in out
    assert "initial bits" in out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["compress", "tiny", "absent.npy"], "There is no file absent.npy"),
        (["decompress", "tiny", "absent.kvz"], "There is no file absent.kvz"),
        (["info", "absent.kvz"], "There is no file absent.kvz"),
        (["compress", "tiny", "text.npy"], "holds no array"),
        (["compress", "tiny", "text.npz"], "cannot be read as an .npz file"),
        (["compress", "tiny", "digits.txt"], ".npy or .npz"),
        (["compress", "tiny", "digits.npy", "-o", "out.zip"], "--output must end in .kvz"),
        (["decompress", "tiny", "digits.npy", "-o", "out.txt"], "--output must end in"),
        (["decompress", "tiny", "digits.npy"], "does not begin with"),
    ],
)
def test_what_does_not_fit_is_one_line(folder, capsys, arguments, words):
    assert main(arguments) != 0
    error = capsys.readouterr().err.strip()
    assert words in error.splitlines()[-1]


def test_an_archive_of_several_arrays_must_name_one(folder, capsys):
    np.savez("two.npz", a=np.zeros(3), b=np.zeros(3))
    assert main(["compress", "tiny", "two.npz"]) != 0
    assert "one named `images`" in capsys.readouterr().err
