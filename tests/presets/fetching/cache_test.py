import hashlib
from pathlib import Path

import pytest

from keras_vae.presets.fetching import cache
from keras_vae.presets.format.index import Entry

pytestmark = pytest.mark.one_backend

ENTRY = Entry("vae_a", "0" * 64, {}, {}, 1, {}, {})


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in ("KERAS_VAE_HOME", "KERAS_HOME", "KERAS_VAE_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


def test_home(monkeypatch):
    assert cache.home() == Path("~/.keras/keras_vae").expanduser()
    monkeypatch.setenv("KERAS_HOME", "/data/keras")
    assert cache.home() == Path("/data/keras/keras_vae")
    monkeypatch.setenv("KERAS_VAE_HOME", "~/weights")
    assert cache.home() == Path("~/weights").expanduser()
    assert cache.folder_of(ENTRY) == Path("~/weights/vae_a").expanduser() / ("0" * 64)


@pytest.mark.parametrize(
    "value, expected", [("1", True), ("true", True), ("0", False), ("", False), ("no", False)]
)
def test_offline(value, expected, monkeypatch):
    assert not cache.is_offline()
    monkeypatch.setenv("KERAS_VAE_OFFLINE", value)
    assert cache.is_offline() == expected


def test_holds(tmp_path):
    path, sha256 = tmp_path / "file", hashlib.sha256(b"abc").hexdigest()
    assert not cache.holds(path, 3, sha256)
    assert not cache.holds(tmp_path, 3, sha256)
    path.write_bytes(b"abc")
    assert cache.holds(path, 3, sha256)
    assert not cache.holds(path, 4, sha256)
    path.write_bytes(b"abC")
    assert not cache.holds(path, 3, sha256)


def test_set_aside_keeps_the_last_one(tmp_path):
    path = tmp_path / "file"
    for content in (b"1", b"2"):
        path.write_bytes(content)
        aside = cache.set_aside(path)
    assert [p.name for p in tmp_path.iterdir()] == ["file.damaged"]
    assert aside.read_bytes() == b"2"


def test_sweep(tmp_path):
    target = tmp_path / "file"
    swept, kept = (".file.x", ".file.part"), ("file", ".file.lock", ".files.x", "file.damaged")
    for name in (*swept, *kept):
        (tmp_path / name).touch()
    cache.sweep(target, keep=[tmp_path / ".file.part"])
    assert {p.name for p in tmp_path.iterdir()} == {*kept, ".file.part"}
    cache.sweep(target)
    assert {p.name for p in tmp_path.iterdir()} == set(kept)
