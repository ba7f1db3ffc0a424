import json

import published_zoo
import pytest
from example_metrics import METRICS
from tiny_recipe import write_tiny_preset

from keras_vae import presets
from keras_vae.cli.main import main

pytestmark = pytest.mark.one_backend


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """An installation without weights."""
    return published_zoo.install(tmp_path, monkeypatch, weights=False)


def test_download_from_a_folder_and_the_names_that_failed(wheel, tmp_path, monkeypatch, capsys):
    assert main(["download", "--all"]) == 2
    assert "KERAS_VAE_ZOO is not set" in capsys.readouterr().err
    monkeypatch.setenv("KERAS_VAE_ZOO", str(tmp_path / "checkout"))
    assert main(["download", "--all"]) == 0
    assert capsys.readouterr().out == f"vae_a  {tmp_path / 'checkout' / 'vae_a'}\n"
    assert main(["download", "vae_b", "vae_a", "vae_c"]) == 2
    told = capsys.readouterr()
    assert told.out.startswith("vae_a  ")
    assert "'vae_b'" in told.err
    assert "'vae_c'" in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["vae_a", "--all"]])
def test_download_takes_names_or_all(wheel, capsys, arguments):
    assert main(["download", *arguments]) == 2
    assert "or --all" in capsys.readouterr().err


def test_verify(wheel, tmp_path, capsys):
    weights = published_zoo.fill_cache(tmp_path) / "model.safetensors"
    for arguments in ([], ["vae_a"]):
        assert main(["verify", *arguments]) == 0
        assert capsys.readouterr().out.count("ok       ") == 3
    weights.write_bytes(weights.read_bytes()[:-1])
    for arguments in ([], ["vae_a"]):
        assert main(["verify", *arguments]) == 3
        told = capsys.readouterr()
        assert f"DAMAGED  {weights}: has " in told.out
        assert told.err.startswith("keras-vae: 1 of 3 files are damaged")
    assert main(["verify", "vae_b"]) == 2


def test_the_cache(wheel, tmp_path, capsys):
    assert main(["cache", "path"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'home'}\n"
    cached = published_zoo.fill_cache(tmp_path)
    assert main(["cache", "clean"]) == 0
    assert cached.exists()
    assert main(["cache", "path", "--all"]) == 2
    assert cached.exists()
    assert main(["cache", "clean", "--all"]) == 0
    assert not cached.exists()


@pytest.fixture
def uploaded(monkeypatch):
    """What was given to `presets.upload`, which would open connections."""
    calls = []

    def upload(folder, address, private):
        calls.append((str(folder), address, private))
        return "https://hub.example/me/tiny"

    monkeypatch.setattr(presets, "upload", upload)
    return calls


def test_an_upload_has_a_card(tmp_path, uploaded, capsys):
    folder = write_tiny_preset(tmp_path)
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    assert main(["upload", str(folder), "hf://me/tiny", "--private"]) == 0
    assert uploaded == [(str(folder), "hf://me/tiny", True)]
    assert capsys.readouterr().out == "https://hub.example/me/tiny\n"
    assert 'from_preset("hf://me/tiny")' in (folder / "README.md").read_text()
    (folder / "README.md").write_text("mine")
    assert main(["upload", str(folder), "hf://me/tiny"]) == 0
    assert (folder / "README.md").read_text() == "mine"


def test_only_a_whole_preset_is_uploaded(tmp_path, uploaded, capsys):
    assert main(["upload", str(tmp_path), "hf://me/tiny"]) == 2
    assert "config.json cannot be read" in capsys.readouterr().err
    assert uploaded == []
