import os
import shutil
import socket

import faults
import numpy as np
import published_zoo
import pytest
from fault_server import FaultServer
from fetching import QUICK
from fetching import closed_port
from published_zoo import TENSOR

from keras_vae import presets
from keras_vae.presets.fetching import cache
from keras_vae.presets.fetching import cached_weights
from keras_vae.presets.fetching import sources
from keras_vae.presets.format import regular_files
from keras_vae.presets.format.preset_files import write_preset

pytestmark = pytest.mark.one_backend


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """An installation that holds the texts of the preset and no weights."""
    return published_zoo.install(tmp_path, monkeypatch, weights=False)


@pytest.fixture
def zoo(tmp_path, wheel):
    """The checkout's zoo that it was made from."""
    return tmp_path / "checkout"


@pytest.fixture
def entry(wheel):
    return presets.entries()["vae_a"]


@pytest.fixture
def server(zoo, entry, monkeypatch):
    content = (zoo / "vae_a" / "model.safetensors").read_bytes()
    with FaultServer(content, faults.fine) as server:
        monkeypatch.setenv("KERAS_VAE_ZOO", f"http://127.0.0.1:{server.port}/zoo")
        yield server


def names_in(folder):
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


def forbid_sockets(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)


def test_weights_are_fetched_once_and_the_rest_is_the_installations(server, entry, monkeypatch):
    assert not presets.is_here("vae_a")
    folder = presets.find("vae_a")
    assert folder == cache.folder_of(entry)
    assert [r.path for r in server.requests] == [f"/zoo/vae_a/{entry.revision}/model.safetensors"]
    expected = {"config.json", "model.safetensors", "recipe.toml", "metrics.json"}
    assert names_in(folder) == expected
    np.testing.assert_array_equal(presets.read_preset(folder).read_tensors()["a"], TENSOR)
    forbid_sockets(monkeypatch)
    assert presets.is_here("vae_a")
    assert presets.find("vae_a") == folder


def test_it_is_listed_and_described_without_a_connection(wheel, monkeypatch):
    forbid_sockets(monkeypatch)
    assert presets.names() == ["vae_a"]
    assert presets.describe("vae_a") == wheel / "vae_a"
    assert not presets.is_here("vae_a")


def test_without_an_address_the_error_says_what_to_set(wheel, monkeypatch):
    forbid_sockets(monkeypatch)
    with pytest.raises(presets.FetchError, match=r"\[zoo\].*KERAS_VAE_ZOO=https://.*train vae_a"):
        presets.find("vae_a")


def test_offline(server, monkeypatch):
    monkeypatch.setenv("KERAS_VAE_OFFLINE", "1")
    forbid_sockets(monkeypatch)
    with pytest.raises(presets.FetchError, match="KERAS_VAE_OFFLINE forbids"):
        presets.find("vae_a")


@pytest.mark.parametrize("layout", ["published", "checkout"])
def test_a_folder_is_used_where_it_is(layout, zoo, entry, tmp_path, monkeypatch):
    shared, inside = tmp_path / "shared zoo", ("vae_a", entry.revision)
    if layout == "checkout":
        inside = inside[:1]
    shutil.copytree(zoo / "vae_a", shared.joinpath(*inside))
    monkeypatch.setenv("KERAS_VAE_ZOO", str(shared))
    forbid_sockets(monkeypatch)
    assert presets.is_here("vae_a")
    assert presets.find("vae_a") == shared.joinpath(*inside)
    assert not cache.home().exists()


def test_a_folder_with_another_file_is_not_used(zoo, wheel, tmp_path, monkeypatch):
    write_preset(zoo / "vae_a", {"class_name": "Anything"}, {"a": TENSOR + 1})
    monkeypatch.setenv("KERAS_VAE_ZOO", str(zoo))
    with pytest.raises(presets.FetchError, match=r"no folder.*KERAS_VAE_ZOO"):
        presets.find("vae_a")


def test_the_installed_zoo_is_used_in_place(wheel, tmp_path, monkeypatch):
    place = published_zoo.install_package(tmp_path, monkeypatch)
    forbid_sockets(monkeypatch)
    monkeypatch.setattr(sources, "DEFAULT", ("http://127.0.0.1:1/zoo",))
    assert presets.is_here("vae_a")
    assert presets.find("vae_a") == place
    assert not cache.home().exists()


def test_an_address_that_is_set_comes_first(server, entry, tmp_path, monkeypatch):
    published_zoo.install_package(tmp_path, monkeypatch)
    assert presets.find("vae_a") == cache.folder_of(entry)
    assert len(server.requests) == 1


def test_the_installed_zoo_serves_where_the_address_does_not(wheel, tmp_path, monkeypatch):
    place = published_zoo.install_package(tmp_path, monkeypatch)
    monkeypatch.setenv("KERAS_VAE_ZOO", closed_port())
    monkeypatch.setattr(cached_weights, "Settings", lambda: QUICK)
    assert presets.find("vae_a") == place


def test_the_default_address_comes_last(server, entry, zoo, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "DEFAULT", (f"http://127.0.0.1:{server.port}/default",))
    monkeypatch.setenv("KERAS_VAE_ZOO", str(tmp_path / "nothing"))
    place = published_zoo.install_package(tmp_path, monkeypatch)
    write_preset(place, {"class_name": "Anything"}, {"a": TENSOR + 1})  # of another version
    assert presets.find("vae_a") == cache.folder_of(entry)
    assert server.requests[0].path.startswith("/default/vae_a/")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_damaged_file_is_replaced_when_it_is_loaded(name, server, zoo, monkeypatch):
    path = presets.find("vae_a") / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    if name == "model.safetensors":
        with pytest.warns(UserWarning, match="was damaged"):
            presets.find("vae_a")
        assert len(server.requests) == 2
    else:
        presets.find("vae_a")
        assert len(server.requests) == 1
    assert path.read_bytes() == (zoo / "vae_a" / name).read_bytes()


def test_texts_of_a_newer_version_replace_those_of_an_older_one(server, wheel):
    folder = presets.find("vae_a")
    (wheel / "vae_a" / "recipe.toml").write_text('summary = "2"')
    (folder / ".recipe.toml.killed").touch()
    assert (presets.find("vae_a") / "recipe.toml").read_text() == 'summary = "2"'
    assert not (folder / ".recipe.toml.killed").exists()


def test_a_cache_that_cannot_be_written_to_serves(server, wheel, monkeypatch):
    folder = presets.find("vae_a")
    (wheel / "vae_a" / "recipe.toml").write_text('summary = "2"')

    def refuse(*arguments, **options):
        raise PermissionError("read-only")

    monkeypatch.setattr(cached_weights, "write_atomically", refuse)
    assert presets.find("vae_a") == folder
    (folder / "config.json").unlink()
    with pytest.raises(PermissionError):
        presets.find("vae_a")


def test_a_damaged_installation_is_said(server, wheel):
    (wheel / "vae_a" / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="install keras-vae again"):
        presets.find("vae_a")


def link(path, victim):
    path.unlink(missing_ok=True)
    path.symlink_to(victim)


def pipe(path, victim):
    path.unlink(missing_ok=True)
    os.mkfifo(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without pipes")
@pytest.mark.filterwarnings("ignore:.* was damaged")
@pytest.mark.parametrize("put", [link, pipe])
@pytest.mark.parametrize(
    "name", ["model.safetensors", ".model.safetensors.part", "config.json", "recipe.toml"]
)
@pytest.mark.parametrize("is_warm", [True, False])
def test_what_others_put_into_a_shared_cache(is_warm, name, put, server, zoo, entry, tmp_path):
    """A link is not followed, nor a pipe opened: what it points to stays as it is."""
    victim, folder = tmp_path / "victim", cache.folder_of(entry)
    source = zoo / "vae_a" / name
    victim.write_bytes(source.read_bytes() if source.exists() else b"precious")
    before = victim.read_bytes()
    if is_warm:
        presets.find("vae_a")
    else:
        folder.mkdir(parents=True)
    put(folder / name, victim)
    assert presets.find("vae_a") == folder
    expected = {"config.json", "model.safetensors", "recipe.toml", "metrics.json"}
    assert all(regular_files.is_regular(folder / file) for file in expected)
    assert victim.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without pipes")
@pytest.mark.parametrize("put", [link, pipe])
@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_what_others_put_in_place_of_a_lock(name, put, server, entry, tmp_path):
    (tmp_path / "victim").write_bytes(b"precious")
    lock = cache.lock_path(cache.folder_of(entry) / name)
    lock.parent.mkdir(parents=True)
    put(lock, tmp_path / "victim")
    with pytest.raises(OSError, match="place of a lock"):
        presets.find("vae_a")
    assert (tmp_path / "victim").read_bytes() == b"precious"


@pytest.mark.parametrize("depth", [0, 1])
def test_a_folder_of_the_cache_that_is_a_link(depth, server, entry, tmp_path):
    (tmp_path / "victim").mkdir()
    folder = [cache.folder_of(entry), cache.folder_of(entry).parent][depth]
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match=r"is a symbolic link.*not followed"):
        presets.find("vae_a")
    assert not list((tmp_path / "victim").iterdir())
