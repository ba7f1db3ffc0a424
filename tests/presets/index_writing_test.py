import hashlib
import json

import numpy as np
import pytest

from keras_vae.presets import index_writing
from keras_vae.presets.format.index import read_index
from keras_vae.presets.format.preset_files import write_preset

pytestmark = pytest.mark.one_backend

TENSORS = {"b": np.ones((2, 3), "float32"), "a": np.float32([1.5]), "scalar": np.array(0.5)}
METRICS = {"test": {"nll": 1.5}, "training": {"num_parameters": 8}, "data": {"description": "d"}}


@pytest.fixture
def zoo(tmp_path):
    for name in ("vae_a", "vae_b"):
        write_preset(tmp_path / name, {"class_name": "Anything"}, TENSORS)
        (tmp_path / name / "metrics.json").write_text(json.dumps(METRICS))
        (tmp_path / name / "recipe.toml").write_text('attribution = "Of [somebody]."')
    (tmp_path / "vae_b" / "recipe.toml").write_text('summary = ""')
    (tmp_path / "vae_c").mkdir()
    (tmp_path / "vae_c" / "recipe.toml").touch()
    index_writing.write_index(tmp_path)
    return tmp_path


def test_what_is_written_is_read(zoo):
    entries = read_index(zoo / "index.json")
    assert list(entries) == ["vae_a", "vae_b"]
    entry = entries["vae_a"]
    for name, file in entry.files.items():
        data = (zoo / "vae_a" / name).read_bytes()
        assert (file.size, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert sorted(entry.files) == ["config.json", "model.safetensors"]
    assert entry.tensors == {"a": ("F32", (1,)), "b": ("F32", (2, 3)), "scalar": ("F64", ())}
    assert (entry.num_parameters, entry.metrics) == (8, {"nll": 1.5})


def test_the_licence_is_the_recipes_or_that_of_the_data(zoo):
    entries = read_index(zoo / "index.json")
    assert entries["vae_a"].licence == {"weights": "Apache-2.0", "data": "Of [somebody]."}
    assert entries["vae_b"].licence["data"] == "d"


def test_a_shape_takes_one_line(zoo):
    assert '"shape": [2, 3]\n' in (zoo / "index.json").read_text()


def test_the_revision_by_hand():
    text = "aa  config.json\nbb  model.safetensors\n"
    revision = index_writing.revision_of({"model.safetensors": "bb", "config.json": "aa"})
    assert revision == hashlib.sha256(text.encode()).hexdigest()


def test_a_revision_follows_the_weights_and_not_the_numbers(zoo):
    before = read_index(zoo / "index.json")["vae_a"].revision
    (zoo / "vae_a" / "metrics.json").write_text(json.dumps(METRICS | {"test": {"nll": 2.5}}))
    assert json.loads(index_writing.index_text(zoo))["presets"]["vae_a"]["revision"] == before
    write_preset(zoo / "vae_a", {"class_name": "Anything"}, {**TENSORS, "a": np.float32([2.5])})
    assert json.loads(index_writing.index_text(zoo))["presets"]["vae_a"]["revision"] != before
