"""A save that is killed, or finds the disk full, at any moment."""

import errno
import io
import os

import numpy as np
import pytest
from workers import run_worker

from keras_vae.presets import read_preset
from keras_vae.presets import write_preset
from keras_vae.presets.format.preset_files import CONFIG
from keras_vae.presets.format.preset_files import WEIGHTS

pytestmark = pytest.mark.one_backend

MODEL = {"class_name": "Anything"}
TENSORS = {"a": np.float32([1.5]), "b": np.arange(6, dtype="float32")}
NEW = {"a": np.float32([2.5])}


@pytest.fixture
def preset(tmp_path):
    write_preset(tmp_path, MODEL, TENSORS)
    return tmp_path


def assert_holds(folder, tensors, config=MODEL):
    """The folder holds a preset with these tensors, and nothing besides."""
    read = read_preset(folder)
    assert read.model_config == config
    found = read.read_tensors()
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(found[name], tensor)
    assert sorted(path.name for path in folder.iterdir()) == [CONFIG, WEIGHTS]


@pytest.mark.parametrize("moment", range(3))
def test_a_crash_between_two_renames_leaves_what_was_there(preset, monkeypatch, moment):
    """Weights put aside, new weights in place, config in place: each may be the first to fail."""
    rename, renamed = os.replace, []

    def crash(source, target):
        if len(renamed) == moment:
            raise KeyboardInterrupt
        renamed.append(target)
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            write_preset(preset, {"class_name": "Another"}, NEW)
    np.testing.assert_array_equal(read_preset(preset).read_tensors()["b"], TENSORS["b"])
    assert read_preset(preset).model_config == MODEL
    write_preset(preset, {"class_name": "Another"}, NEW)
    assert_holds(preset, NEW, {"class_name": "Another"})


@pytest.mark.parametrize(
    "call, moment", [*(("fsync", n) for n in range(1, 5)), ("write", 1), ("write", 2)]
)
def test_a_full_disk_leaves_what_was_there(preset, monkeypatch, call, moment):
    """Flushed are the two new files, and the folder after each rename."""
    calls = []

    def full(descriptor, *args):
        calls.append(descriptor)
        if len(calls) == moment:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Full(io.BufferedWriter):
        def write(self, data):
            full(self)
            return super().write(data)

    with monkeypatch.context() as patch:
        if call == "fsync":
            patch.setattr(os, "fsync", full)
        else:
            patch.setattr(os, "fdopen", lambda d, mode: Full(io.FileIO(d, "wb")))
        with pytest.raises(OSError, match="No space left"):
            write_preset(preset, MODEL, NEW)
    np.testing.assert_array_equal(read_preset(preset).read_tensors()["b"], TENSORS["b"])
    write_preset(preset, MODEL, NEW)
    assert_holds(preset, NEW)


def test_leftovers_of_a_killed_process_are_removed_by_the_next(preset):
    for name in (f".{CONFIG}.abc", f".{WEIGHTS}.0123", f".{WEIGHTS}.0123456789abcdef"):
        (preset / name).write_bytes(b"half")
    (preset / ".mine").touch()
    write_preset(preset, MODEL, NEW)
    assert sorted(path.name for path in preset.iterdir()) == [".mine", CONFIG, WEIGHTS]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
def test_a_kill_before_any_file_operation_leaves_a_whole_preset(tmp_path):
    assert int(run_worker("presets/killed_save_worker", tmp_path)) > 30
