import os
import random
import signal
import stat
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from families import BY_NAME
from scripts import PROCESSES

from keras_vae.models.saving.atomic_save import save_atomically


def _save_for_ever(path, started):
    model = BY_NAME["vae"].compiled()
    while True:
        model.save(path)
        started.set()


@pytest.mark.slow
@pytest.mark.one_backend
def test_forty_kills_leave_forty_whole_files(tmp_path):
    path = tmp_path / "model.keras"
    for _ in range(4):  # to start takes seconds: each process is stopped nine times, then killed
        started = PROCESSES.Event()
        worker = PROCESSES.Process(target=_save_for_ever, args=(path, started))
        worker.start()
        assert started.wait(120)
        for _ in range(9):
            time.sleep(random.uniform(0.0, 0.05))
            os.kill(worker.pid, signal.SIGSTOP)  # what a reader sees is what a kill would leave
            keras.saving.load_model(path)
            os.kill(worker.pid, signal.SIGCONT)
        time.sleep(random.uniform(0.0, 0.05))
        worker.kill()
        worker.join()
        keras.saving.load_model(path)


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_what_fails_leaves_the_file_that_was_there(suffix, tmp_path, monkeypatch):
    model = BY_NAME["vae"].compiled()
    path = tmp_path / f"model{suffix}"
    save = model.save if suffix == ".keras" else model.save_weights
    save(path)
    before = path.read_bytes()

    def fail(store):
        raise OSError("No space left on device")

    monkeypatch.setattr(model.noise, "save_own_variables", fail)
    with pytest.raises(OSError, match="No space"):
        save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_a_link_goes_on_leading_to_the_file(tmp_path):
    target, link = tmp_path / "real.keras", tmp_path / "model.keras"
    link.symlink_to(target)
    model = BY_NAME["vae"].model()
    model.save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    np.testing.assert_array_equal(
        keras.saving.load_model(link).sample(2, seed=0), model.sample(2, seed=0)
    )


def test_what_killed_processes_left_is_removed_in_time(tmp_path):
    old, young, other = (tmp_path / f".{n}.keras" for n in ("x.keras.1", "x.keras.2", "y.keras.1"))
    for path in (old, young, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (0, 0))
    save_atomically(lambda path: Path(path).write_text("1"), tmp_path / "x.keras", ".keras")
    assert {path.name for path in tmp_path.iterdir()} == {"x.keras", young.name, other.name}


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        save_atomically(lambda path: None, tmp_path / "none" / "x.keras", ".keras")


def test_loading_weights_keeps_the_state_of_the_optimizer(tmp_path):
    family = BY_NAME["vae"]
    model, other, x = family.compiled(), family.model(), family.data()
    model.fit(x, epochs=2, verbose=0)
    model.save_weights(tmp_path / "model.weights.h5")
    other.compile("adam")
    other.load_weights(tmp_path / "model.weights.h5")
    assert int(other.optimizer.iterations.value) == 2
