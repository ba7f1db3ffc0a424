import copy
import json

import pytest

from keras_vae.presets.format.index import MAX_SIZE
from keras_vae.presets.format.index import Entry
from keras_vae.presets.format.index import File
from keras_vae.presets.format.index import check_name
from keras_vae.presets.format.index import read_index

pytestmark = pytest.mark.one_backend

FILE = {"size": 24, "sha256": "ab" * 32}
TABLE = {
    "revision": "cd" * 32,
    "files": {"model.safetensors": FILE},
    "tensors": {"decoder/kernel": {"dtype": "F32", "shape": [2, 3]}},
    "num_parameters": 6,
    "licence": {"weights": "Apache-2.0", "data": "ours"},
    "metrics": {"nll": 1.5},
}
BAD_NAMES = ["", "..", ".", "a/b", "a\\b", "/a", "a b", "A", "_a", "-a", "a.b", "a\n", "a" * 65]
BAD_FILES = ["", "..", ".", "../a", "a/b", "a\\b", "/a", ".a", "a..b", "a.", "C:a", "a\0", "a\n"]


@pytest.fixture
def write(tmp_path):
    def write(name="vae_a", **changes):
        content = {"format": 1, "presets": {name: copy.deepcopy(TABLE) | changes}}
        (tmp_path / "index.json").write_text(json.dumps(content))
        return tmp_path / "index.json"

    return write


def test_by_hand(write):
    assert read_index(write()) == {
        "vae_a": Entry(
            name="vae_a",
            revision="cd" * 32,
            files={"model.safetensors": File(24, "ab" * 32)},
            tensors={"decoder/kernel": ("F32", (2, 3))},
            num_parameters=6,
            licence={"weights": "Apache-2.0", "data": "ours"},
            metrics={"nll": 1.5},
        )
    }


def test_no_index_has_no_presets(tmp_path):
    assert read_index(tmp_path / "index.json") == {}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_could_lead_elsewhere(name, write):
    with pytest.raises(ValueError, match="preset name"):
        read_index(write(name))
    with pytest.raises(ValueError, match="preset name"):
        check_name(name)


@pytest.mark.parametrize("name", BAD_FILES)
def test_files_that_could_lie_elsewhere(name, write):
    with pytest.raises(ValueError, match="file name"):
        read_index(write(files={name: FILE}))


@pytest.mark.parametrize("size", [0, -1, MAX_SIZE + 1, 1.5, "1", True, None])
def test_sizes_out_of_bounds(size, write):
    with pytest.raises(ValueError, match="integer from 1"):
        read_index(write(files={"a": FILE | {"size": size}}))


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"revision": "../x"}, "is not a valid revision"),
        ({"revision": "AB" * 32}, "is not a valid revision"),
        ({"files": {"a": FILE | {"sha256": "ab" * 31}}}, "is not a valid sha256"),
        ({"files": {"a": {"size": 24}}}, "KeyError, 'sha256'"),
        ({"files": []}, "AttributeError"),
        ({"tensors": {"a": {"dtype": "O", "shape": [1]}}}, "unknown dtype 'O'"),
        ({"tensors": {"a": {"dtype": "F32", "shape": [-1]}}}, "from 0 to"),
        ({"tensors": {"a": {"dtype": "F32", "shape": [7]}}}, "28 bytes exceed the files"),
        ({"num_parameters": "6"}, "expected an integer"),
    ],
)
def test_tables_that_are_wrong(changes, message, write):
    with pytest.raises(ValueError, match=f"index of presets: .*{message}"):
        read_index(write(**changes))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2, "presets": {}}', '{"format": 1}'])
def test_what_is_no_index(text, tmp_path):
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(ValueError, match="index of presets"):
        read_index(tmp_path / "index.json")
