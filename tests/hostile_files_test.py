"""Presets of strangers: each is refused at once, in words, without harm."""

import json
import os
import sys

import hostile_configs
import hostile_files
import pytest
from workers import SUPPORT
from workers import run_worker

import keras_vae
from keras_vae.presets import read_preset

pytestmark = [
    pytest.mark.one_backend,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
]
SECONDS, BYTES = 5, 200 * 2**20


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """`{case: record}` of one process that was given every case, and the sound preset."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / f"{hostile_configs.SENTINEL}.py").write_text("open('imported', 'w')\n")
    networks = keras_vae.MLPEncoder((4,), 2, (3,)), keras_vae.MLPDecoder((4,), 2, (3,))
    sound = folder / "sound"
    keras_vae.VAE(*networks, seed=0).save_to_preset(sound)
    weights = (sound / hostile_files.WEIGHTS).read_bytes()
    folders = hostile_files.write_all(folder, read_preset(sound).model_config, weights)
    listed = {"sound": sound, **folders}
    (folder / "list.json").write_text(json.dumps({k: str(v) for k, v in listed.items()}))
    before = snapshot(folder)
    run_worker(
        "support/hostile_worker",
        folder / "list.json",
        folder / "report.json",
        JAX_ENABLE_COMPILATION_CACHE="false",
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONPATH=os.pathsep.join(map(str, (folder, SUPPORT, SUPPORT.parents[1]))),
    )
    assert snapshot(folder) == before, "files were written"
    return json.loads((folder / "report.json").read_text())


def snapshot(folder):
    return {path for path in folder.rglob("*") if path.name != "report.json"}


def test_there_are_many():
    assert len(hostile_files.CASES) >= 120


def test_a_sound_preset_is_no_case(records):
    assert records["sound"]["error"] == "NoneType"
    assert records["sound"]["events"] == []


@pytest.mark.parametrize("name", hostile_files.CASES)
def test_refused(records, name):
    record = records[name]
    assert record["error"] == "ValueError", record["message"]
    assert record["cause"] != "MemoryError"
    assert len(record["message"]) < 2000
    assert record["message"].count("\n") == 0
    assert record["events"] == []
    assert record["seconds"] < SECONDS
    assert record["bytes"] < BYTES
