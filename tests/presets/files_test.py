import hashlib
import json
import os

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import save as dump

from keras_vae import VAE
from keras_vae import MLPDecoder
from keras_vae import MLPEncoder
from keras_vae.presets import files
from keras_vae.presets import read_preset
from keras_vae.presets import write_atomically
from keras_vae.presets import write_preset

CONFIG, WEIGHTS = files.CONFIG, files.WEIGHTS
MODEL = {"class_name": "Anything"}
TENSORS = {
    "b": np.arange(6, dtype="float32").reshape(2, 3),
    "a": np.float32([1.5]),
    "scalar": np.array(0.5, "float32"),
}


@pytest.fixture
def preset(tmp_path):
    write_preset(tmp_path, MODEL, TENSORS)
    return tmp_path


@pytest.fixture
def model_preset(tmp_path):
    """A tiny model's preset, and a function that writes it again with other tensors."""
    model = VAE(MLPEncoder((4,), 2, (3,)), MLPDecoder((4,), 2, (3,)), seed=0)
    model.save_to_preset(tmp_path)
    saved = read_preset(tmp_path)

    def rewrite(change):
        write_preset(tmp_path, saved.model_config, change(dict(saved.tensors)))

    return tmp_path, rewrite


def test_round_trip(preset):
    read = read_preset(preset)
    assert read.model_config == MODEL
    assert read.folder == preset
    assert read.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert read.tensors[name].dtype == tensor.dtype
        assert read.tensors[name].shape == tensor.shape
        np.testing.assert_array_equal(read.tensors[name], tensor)


def test_an_array_that_is_not_contiguous_is_written_as_it_looks(tmp_path):
    array = np.arange(6, dtype="float32").reshape(2, 3).T
    write_preset(tmp_path, MODEL, {"a": array})
    np.testing.assert_array_equal(read_preset(tmp_path).tensors["a"], array)


def test_the_files_are_json_and_safetensors_and_nothing_is_pickled(preset):
    config = json.loads((preset / CONFIG).read_text())
    weights = (preset / WEIGHTS).read_bytes()
    assert config["weights"]["sha256"] == hashlib.sha256(weights).hexdigest()
    length = int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8 : 8 + length])
    assert header["b"]["shape"] == [2, 3]
    assert header["b"]["dtype"] == "F32"
    assert sorted(path.name for path in preset.iterdir()) == [CONFIG, WEIGHTS]


def test_objects_are_not_written(tmp_path):
    with pytest.raises(SafetensorError, match="object"):
        write_preset(tmp_path, MODEL, {"a": np.array([print], dtype=object)})
    assert list(tmp_path.iterdir()) == []


def test_a_crash_between_the_two_files_is_seen(preset, monkeypatch):
    def crash_at_the_config(path, data):
        if path.name == CONFIG:
            raise KeyboardInterrupt
        write_atomically(path, data)

    monkeypatch.setattr(files, "write_atomically", crash_at_the_config)
    with pytest.raises(KeyboardInterrupt):
        write_preset(preset, MODEL, {"a": np.float32([2.5])})
    with pytest.raises(ValueError, match="sha256 differs"):
        read_preset(preset)


def test_a_crash_while_writing_leaves_what_was_there(preset, monkeypatch):
    def crash(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        write_preset(preset, MODEL, {"a": np.float32([2.5])})
    np.testing.assert_array_equal(read_preset(preset).tensors["a"], TENSORS["a"])
    assert sorted(path.name for path in preset.iterdir()) == [CONFIG, WEIGHTS]


def test_written_files_can_be_read_by_others(tmp_path):
    write_atomically(tmp_path / "file", b"12")
    assert (tmp_path / "file").read_bytes() == b"12"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_file_that_is_not_there_is_named(preset, name):
    (preset / name).unlink()
    with pytest.raises(ValueError, match=f"{name} cannot be read: No such file"):
        read_preset(preset)


def test_a_flipped_bit_is_seen(preset):
    weights = bytearray((preset / WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (preset / WEIGHTS).write_bytes(weights)
    with pytest.raises(ValueError, match="sha256 differs"):
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
    data = damage((preset / WEIGHTS).read_bytes())
    config = json.loads((preset / CONFIG).read_text())
    config["weights"]["sha256"] = hashlib.sha256(data).hexdigest()
    (preset / WEIGHTS).write_bytes(data)
    (preset / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ValueError, match="not a safetensors file"):
        read_preset(preset)


@pytest.mark.parametrize(
    "text, message",
    [
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"[]", "not a preset of format 1"),
        (b"{}", "not a preset of format 1"),
        (b'{"format": 2, "weights": {"sha256": ""}, "model": {}}', "update it"),
        (b'{"format": 1, "model": {}}', "damaged"),
        (b'{"format": 1, "weights": {}, "model": {}}', "damaged"),
        (b'{"format": 1, "weights": {"sha256": ""}, "model": "VAE"}', "damaged"),
    ],
)
def test_a_config_that_is_none(preset, text, message):
    (preset / CONFIG).write_bytes(text)
    with pytest.raises(ValueError, match=message):
        read_preset(preset)


def without_one(tensors):
    tensors.pop("decoder/output/bias", None) or tensors.popitem()
    return tensors


def transposed(tensors):
    name = next(k for k, v in tensors.items() if v.ndim == 2)
    return tensors | {name: tensors[name].T}


def with_nan(tensors):
    name = list(tensors)[-1]
    return tensors | {name: np.full_like(tensors[name], np.nan)}


@pytest.mark.parametrize(
    "change, message",
    [
        (without_one, "Missing: \\['"),
        (lambda tensors: tensors | {"more": np.zeros(1, "float32")}, "Unknown: \\['more'\\]"),
        (transposed, "has shape"),
        (with_nan, "not finite"),
        (lambda tensors: {k: v.astype("int32") for k, v in tensors.items()}, "dtype int32"),
        (lambda tensors: {}, "Missing: "),
    ],
    ids=["missing", "extra", "shape", "nan", "dtype", "none"],
)
def test_a_model_is_not_made_of_wrong_tensors(model_preset, change, message):
    folder, rewrite = model_preset
    rewrite(change)
    with pytest.raises(ValueError, match=message) as error:
        VAE.from_preset(folder)
    assert str(folder) in str(error.value)


def test_safetensors_of_another_writer_are_read(model_preset):
    folder, _ = model_preset
    tensors = read_preset(folder).tensors
    data = dump(dict(reversed(tensors.items())), metadata={"format": "pt"})
    config = json.loads((folder / CONFIG).read_text())
    config["weights"]["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / WEIGHTS).write_bytes(data)
    (folder / CONFIG).write_text(json.dumps(config))
    assert VAE.from_preset(folder).count_params() == sum(t.size for t in tensors.values())
