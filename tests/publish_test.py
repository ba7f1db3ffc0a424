"""`zoo/publish.py`: a folder that any static file server can serve."""

import functools
import http.server
import importlib.util
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from keras_vae import presets
from keras_vae.presets import finding
from keras_vae.presets import index_writing
from keras_vae.presets.format.preset_files import write_preset

pytestmark = pytest.mark.one_backend

CHECKOUT = Path(__file__).parents[1]
METRICS = {"test": {}, "training": {"num_parameters": 3}, "data": {"description": ""}}


@pytest.fixture(scope="module")
def publish():
    spec = importlib.util.spec_from_file_location("publish", CHECKOUT / "zoo" / "publish.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.publish


def write(zoo, value):
    write_preset(zoo / "vae_a", {"class_name": "Anything"}, {"a": np.full(3, value, "float32")})
    (zoo / "vae_a" / "metrics.json").write_text(json.dumps(METRICS))
    for name in ("recipe.toml", "README.md", "samples.png"):
        (zoo / "vae_a" / name).touch()
    index_writing.write_index(zoo)


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_VAE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KERAS_VAE_OFFLINE", raising=False)
    write(tmp_path / "zoo", 1.0)
    return tmp_path / "zoo"


def install(zoo, site, monkeypatch):
    """Makes an installation of this state of the zoo that of the process."""
    shutil.copytree(zoo, site, ignore=shutil.ignore_patterns("*.safetensors"))
    monkeypatch.setattr(finding, "_ZOOS", (site,))


def value_of_the_preset():
    return presets.read_preset(presets.find("vae_a")).read_tensors()["a"][0]


@pytest.fixture
def serve(monkeypatch):
    """Serves a folder by the standard library's own server, and points `KERAS_VAE_ZOO` at it."""
    servers = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    def serve(folder):
        handler = functools.partial(Handler, directory=folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        monkeypatch.setenv("KERAS_VAE_ZOO", f"http://127.0.0.1:{server.server_port}")

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_published_zoo_is_fetched_from(publish, zoo, tmp_path, monkeypatch, serve):
    assert publish(tmp_path / "www", zoo) == 7  # six of the preset, and the index
    install(zoo, tmp_path / "site", monkeypatch)
    serve(tmp_path / "www")
    assert value_of_the_preset() == 1.0


def test_publishing_again_adds_and_changes_nothing_else(publish, zoo, tmp_path):
    publish(tmp_path / "www", zoo)
    assert publish(tmp_path / "www", zoo) == 0
    (old,) = (tmp_path / "www" / "vae_a").iterdir()
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    write(zoo, 2.0)
    assert publish(tmp_path / "www", zoo) == 7
    assert len(list((tmp_path / "www" / "vae_a").iterdir())) == 2
    assert {path.name: path.read_bytes() for path in old.iterdir()} == before


def test_a_newer_zoo_serves_an_older_installation(publish, zoo, tmp_path, monkeypatch, serve):
    serve(tmp_path / "www")
    for value in (1.0, 2.0):
        write(zoo, value)
        publish(tmp_path / "www", zoo)
        shutil.copytree(zoo, tmp_path / f"zoo_{value}")
    for value in (1.0, 2.0):
        install(tmp_path / f"zoo_{value}", tmp_path / f"site_{value}", monkeypatch)
        assert value_of_the_preset() == value


def test_a_published_revision_is_itself_a_preset(publish, zoo, tmp_path):
    publish(tmp_path / "www", zoo)
    (folder,) = (tmp_path / "www" / "vae_a").iterdir()
    assert presets.read_preset(presets.find(folder)).read_tensors()["a"][0] == 1.0


def test_a_zoo_that_is_not_that_of_its_index_is_not_published(publish, zoo, tmp_path):
    write_preset(zoo / "vae_a", {"class_name": "Anything"}, {"a": np.zeros(3, "float32")})
    with pytest.raises(ValueError, match=r"zoo/train\.py --cards"):
        publish(tmp_path / "www", zoo)
    assert not (tmp_path / "www").exists()
