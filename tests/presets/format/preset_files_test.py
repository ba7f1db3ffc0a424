import json
import os

import numpy as np
import pytest
from safetensors import SafetensorError

from keras_vae.presets import read_preset
from keras_vae.presets import write_preset
from keras_vae.presets.format import preset_files
from keras_vae.presets.format.preset_files import config_bytes
from keras_vae.presets.format.tree_hash import tree_sha256

pytestmark = pytest.mark.one_backend

CONFIG, WEIGHTS = preset_files.CONFIG, preset_files.WEIGHTS
MODEL = {"class_name": "Anything", "config": {"units": [3, 20], "rate": 0.5, "name": None}}
TENSORS = {
    "b": np.arange(6, dtype="float32").reshape(2, 3),
    "a": np.float32([1.5]),
    "scalar": np.array(0.5, "float32"),
}


@pytest.fixture
def preset(tmp_path):
    write_preset(tmp_path, MODEL, TENSORS)
    return tmp_path


def test_round_trip(preset):
    read = read_preset(preset)
    assert read.model_config == MODEL
    assert read.folder == preset
    tensors = read.read_tensors()
    assert tensors.keys() == read.table.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == read.table[name].dtype == tensor.dtype
        assert tensors[name].shape == read.table[name].shape == tensor.shape
        np.testing.assert_array_equal(tensors[name], tensor)


def test_an_array_that_is_not_contiguous_is_written_as_it_looks(tmp_path):
    array = np.arange(6, dtype="float32").reshape(2, 3).T
    write_preset(tmp_path, MODEL, {"a": array})
    np.testing.assert_array_equal(read_preset(tmp_path).read_tensors()["a"], array)


def test_half_precision_is_widened_when_it_is_read(tmp_path):
    half = {name: tensor.astype("float16") for name, tensor in TENSORS.items()}
    write_preset(tmp_path, MODEL, half)
    read = read_preset(tmp_path)
    assert {entry.dtype for entry in read.table.values()} == {np.dtype("float16")}
    for name, tensor in read.read_tensors().items():
        assert tensor.dtype == "float32"
        np.testing.assert_array_equal(tensor, TENSORS[name])  # which float16 holds exactly


def test_the_files_are_json_and_safetensors_and_nothing_is_pickled(preset):
    config = json.loads((preset / CONFIG).read_text())
    weights = (preset / WEIGHTS).read_bytes()
    assert config["weights"]["tree_sha256"] == tree_sha256(weights)
    length = int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8 : 8 + length])
    assert header["b"]["shape"] == [2, 3]
    assert header["b"]["dtype"] == "F32"
    assert sorted(path.name for path in preset.iterdir()) == [CONFIG, WEIGHTS]


def test_objects_are_not_written(tmp_path):
    with pytest.raises(SafetensorError, match="object"):
        write_preset(tmp_path, MODEL, {"a": np.array([print], dtype=object)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "value", [np.nan, print, {1, 2}, "x" * 2**21], ids=["nan", "code", "set", "long"]
)
def test_a_config_that_could_not_be_read_is_not_written(preset, value):
    with pytest.raises(ValueError, match="as JSON"):
        write_preset(preset, {"value": value}, {})
    assert read_preset(preset).model_config == MODEL


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_file_that_is_not_there_is_named(preset, name):
    (preset / name).unlink()
    with pytest.raises(ValueError, match=f"{name}.*No such file"):
        read_preset(preset)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without pipes")
def test_a_pipe_is_not_waited_for(preset, name):
    (preset / name).unlink()
    os.mkfifo(preset / name)
    with pytest.raises(ValueError, match=f"{name}.*not a file"):
        read_preset(preset)


def is_refused(folder, name):
    try:
        read_preset(folder).read_tensors()
    except ValueError as error:
        return str(folder / name) in str(error)
    return False


def test_2000_random_flips_and_cuts_are_seen(preset):
    """One to three bits flipped, or bytes lost at the end, anywhere in either file."""
    random, num_refused = np.random.default_rng(0), 0
    for name in (CONFIG, WEIGHTS):
        whole = (preset / name).read_bytes()
        for i in range(1000):
            damaged = bytearray(whole)
            if i % 5 == 0:
                del damaged[-random.integers(1, len(whole)) :]
            else:
                places = random.choice(8 * len(whole), size=random.integers(1, 4), replace=False)
                for place in places:
                    damaged[place // 8] ^= 1 << place % 8
            (preset / name).unlink()  # cheaper than to overwrite a file that is to be kept whole
            (preset / name).write_bytes(damaged)
            num_refused += is_refused(preset, name)
        (preset / name).write_bytes(whole)
    assert num_refused == 2000
    assert not is_refused(preset, CONFIG)


def test_every_byte_of_the_config_counts(preset):
    """The last newline, spaces and the case of the sha256, which mean nothing to JSON, too."""
    text = (preset / CONFIG).read_text()
    sha256 = json.loads(text)["sha256"]
    for changed in (text[:-1], text + " ", text.replace(sha256, sha256.upper()), text[1:-1]):
        (preset / CONFIG).write_text(changed)
        with pytest.raises(ValueError, match=r"sha256 differs|cannot be read"):
            read_preset(preset)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-3],
        lambda data: data[:20],
        lambda data: b"",
        lambda data: b"\xff" * 8 + data[8:],
        lambda data: b"\x80\x04N.",  # a pickle
    ],
    ids=["cut", "cut_in_header", "empty", "huge_header", "pickle"],
)
def test_weights_that_are_no_safetensors_file(preset, damage):
    """With a config that vouches for them."""
    weights = damage((preset / WEIGHTS).read_bytes())
    (preset / WEIGHTS).write_bytes(weights)
    (preset / CONFIG).write_bytes(config_bytes(MODEL, weights))
    with pytest.raises(ValueError, match="not a safetensors file"):
        read_preset(preset)


@pytest.mark.parametrize(
    "text, message",
    [
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b'"format"', "not a preset of format 3"),
        (b"[]", "not a preset of format 3"),
        (b"{}", "not a preset of format 3"),
        (b'{"format": 2, "weights": {"sha256": ""}, "model": {}}', "save the model again"),
        (b'{"format": 3, "model": {}}', "damaged"),
        (b'{"format": 3, "weights": {}, "model": {}}', "damaged"),
        (b'{"format": 3, "weights": {"tree_sha256": ""}, "model": "VAE"}', "damaged"),
    ],
)
def test_a_config_that_is_none(preset, text, message):
    (preset / CONFIG).write_bytes(text)
    with pytest.raises(ValueError, match=message):
        read_preset(preset)


@pytest.mark.parametrize(
    "changes",
    [
        {"file": "../model.safetensors"},
        {"file": "/etc/passwd"},
        {"tree_sha256": "../../../../etc/passwd".ljust(64, "0")},
        {"tree_sha256": "A" * 64},
        {"size": "12"},
        {"size": True},
    ],
    ids=str,
)
def test_a_config_says_nothing_about_where_files_are(preset, changes):
    weights = json.loads((preset / CONFIG).read_text())["weights"] | changes
    (preset / CONFIG).write_bytes(preset_files._signed(weights, MODEL))
    with pytest.raises(ValueError, match="lacks `model` or `weights`"):
        read_preset(preset)
