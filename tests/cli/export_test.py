from pathlib import Path

import keras
import numpy as np
import pytest
from tiny_recipe import write_tiny_preset

from keras_vae import models
from keras_vae.cli.main import main

pytestmark = pytest.mark.one_backend


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The working directory, with the untrained preset `tiny` in it."""
    monkeypatch.chdir(tmp_path)
    write_tiny_preset(tmp_path)
    return tmp_path


@pytest.fixture
def exported(monkeypatch):
    """What is exported, in place of doing it: (what, path, format)."""
    found = []

    def export(self, filepath, format, verbose):
        found.append((type(self).__name__, filepath, format))

    monkeypatch.setattr(models.GenerativeModel, "export", export)
    monkeypatch.setattr(keras.Model, "export", export)
    return found


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["-o", "vae.onnx"], ("VAE", "vae.onnx", "onnx")),
        (["-o", "out/saved"], ("VAE", "out/saved", "tf_saved_model")),
        (["--part", "encoder", "-o", "e.onnx"], ("MLPEncoder", "e.onnx", "onnx")),
        (["--part", "decoder", "-o", "d"], ("MLPDecoder", "d", "tf_saved_model")),
    ],
)
def test_a_format_follows_from_the_path(here, exported, arguments, expected):
    assert main(["export", "./tiny", *arguments]) == 0
    assert exported == [expected]


@pytest.mark.parametrize(
    "backend, part, name",
    [
        ("torch", "model", "tiny.onnx"),
        ("jax", "model", "tiny"),
        ("tensorflow", "decoder", "tiny_decoder"),
    ],
)
def test_the_name_of_the_preset_is_the_default(
    here, exported, monkeypatch, tmp_path, backend, part, name
):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # where the preset's own folder is not in the way
    monkeypatch.setattr(keras.config, "backend", lambda: backend)
    assert main(["export", "../tiny", "--part", part]) == 0
    assert exported[0][1:] == (name, "onnx" if name.endswith(".onnx") else "tf_saved_model")


def test_what_is_there_stays(here, exported, capsys):
    Path("old.onnx").write_text("old")
    assert main(["export", "./tiny", "-o", "old.onnx"]) == 2
    assert "exists" in capsys.readouterr().err
    assert Path("old.onnx").read_text() == "old"
    assert main(["export", "./tiny", "-o", "old.h5"]) == 2
    assert ".onnx" in capsys.readouterr().err
    assert not exported


def test_what_cannot_be_converted_is_one_line(here, monkeypatch, capsys):
    def export(self, *args, **kwargs):
        raise RuntimeError("VAE cannot be written: it has operations that nobody knows.")

    monkeypatch.setattr(models.GenerativeModel, "export", export)
    assert main(["export", "./tiny", "-o", "vae.onnx"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(keras.config.backend() != "torch", reason="torch writes ONNX")
def test_a_file_gives_what_the_model_predicts(here):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    assert main(["export", "./tiny", "-o", "vae.onnx"]) == 0
    x = np.random.default_rng(0).integers(0, 2, (3, 6, 5, 1)).astype("float32")
    (found,) = onnxruntime.InferenceSession("vae.onnx").run(None, {"x": x})
    expected = models.from_preset("./tiny").predict(x, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
