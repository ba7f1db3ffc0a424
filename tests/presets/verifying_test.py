import shutil

import published_zoo
import pytest

from keras_vae import presets
from keras_vae.presets.format.preset_files import write_preset

pytestmark = pytest.mark.one_backend


def problems(name="vae_a"):
    return {str(path.name): problem for path, problem in presets.verify(name)}


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """The folder of the cache, filled, of an installation without weights."""
    published_zoo.install(tmp_path, monkeypatch, weights=False)
    return published_zoo.fill_cache(tmp_path)


def test_all_is_right(cached, tmp_path):
    found = presets.verify("vae_a")
    assert [path.parent for path, _ in found] == [tmp_path / "site" / "vae_a", cached, cached]
    assert not any(problem for _, problem in found)


def test_a_flipped_bit_a_cut_and_a_missing_file(cached):
    weights = cached / "model.safetensors"
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert "a wrong sha256" in problems()["model.safetensors"]
    weights.write_bytes(data[:-1])
    expected = f"has {len(data) - 1:,} bytes instead of {len(data):,}"
    assert problems()["model.safetensors"] == expected
    weights.unlink()
    assert "cannot be read" in problems()["model.safetensors"]


def test_the_installation_is_looked_at_too(tmp_path, monkeypatch):
    site = published_zoo.install(tmp_path, monkeypatch)
    assert problems() == {"config.json": "", "model.safetensors": ""}
    (site / "vae_a" / "config.json").write_text("{}")
    assert "instead of" in problems()["config.json"]


def test_and_a_folder_that_was_published(tmp_path, monkeypatch):
    published_zoo.install(tmp_path, monkeypatch, weights=False)
    revision = presets.entries()["vae_a"].revision
    published = tmp_path / "mirror" / "vae_a" / revision
    shutil.copytree(tmp_path / "checkout" / "vae_a", published)
    monkeypatch.setenv("KERAS_VAE_ZOO", str(tmp_path / "mirror"))
    assert [path.parent for path, _ in presets.verify("vae_a")][1:] == [published] * 2


def test_what_is_not_here_cannot_be_verified(tmp_path, monkeypatch):
    published_zoo.install(tmp_path, monkeypatch, weights=False)
    with pytest.raises(ValueError, match="keras-vae download vae_a"):
        presets.verify("vae_a")
    with pytest.raises(ValueError, match="no preset 'vae_b'"):
        presets.verify("vae_b")


def test_a_folder_of_ones_own_is_what_its_config_says(tmp_path):
    mine = tmp_path / "mine"
    write_preset(mine, {"class_name": "Anything"}, {"a": published_zoo.TENSOR})
    assert presets.verify(mine) == [presets.Finding(mine, "")]
    data = bytearray((mine / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (mine / "model.safetensors").write_bytes(data)
    ((_, problem),) = presets.verify(mine)
    assert "its sha256 differs" in problem


def test_the_installed_zoo_is_looked_at_too(tmp_path, monkeypatch):
    published_zoo.install(tmp_path, monkeypatch, weights=False)
    place = published_zoo.install_package(tmp_path, monkeypatch)
    assert not any(finding.problem for finding in presets.verify("vae_a"))
    (place / "model.safetensors").write_bytes(b"1")
    assert [f.path for f in presets.verify("vae_a") if f.problem] == [place / "model.safetensors"]
