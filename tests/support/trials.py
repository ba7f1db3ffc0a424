"""Trials that take too long for every run of the tests, one line of figures each:

    KERAS_BACKEND=torch python tests/support/trials.py saves          # 40 kills of a `.keras` save
    KERAS_BACKEND=jax python tests/support/trials.py interruptions    # of `evaluate` and `predict`
    KERAS_BACKEND=jax python tests/support/trials.py resumes [SEED]   # training killed three times

The exit status is 1 where a trial fails.
"""

import contextlib
import functools
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import keras
import numpy as np
from families import BATCH_SIZE
from families import BY_NAME
from families import CUSTOM_OBJECTS
from states import largest_difference
from states import state

BACKEND = keras.config.backend()
NUM_KILLS, NUM_EPOCHS, NUM_STEPS = 40, 8, 4
RESUMED = ("vae", "vqvae", "factor_vae", "pixel_cnn")


def saves():
    """Kills a process that saves a model again and again, and reads the file each time.

    The process is forked from this one, so that it begins to save at once: on PyTorch.
    """
    model, whole = BY_NAME["vae"].compiled(), 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        for _ in range(NUM_KILLS):
            child = os.fork()
            if not child:
                while True:
                    model.save(path)
            time.sleep(random.uniform(0.02, 0.2))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            loaded = keras.saving.load_model(path)
            whole += largest_difference(state(loaded), state(model)) == 0
        left = len(os.listdir(folder)) - 1
    print(f"{BACKEND} saves: {whole} of {NUM_KILLS} files whole after kills; {left} others left")
    return whole == NUM_KILLS


class _Breaks(keras.callbacks.Callback):
    def __init__(self, error):
        super().__init__()
        self.on_test_batch_end = self.on_predict_batch_end = self._break
        self._error = error

    def _break(self, batch, logs=None):
        if batch == 2:
            raise self._error


def interruptions():
    """Breaks `evaluate` and `predict` off in four ways each; the weights stay, training goes on."""
    family = BY_NAME["vae"]
    model, x = family.compiled(), family.data(64)
    model.fit(x, epochs=1, verbose=0)
    kept = 0

    def data(error, calls=lambda: None):
        for i in range(6):
            if i == 3:
                calls()
                if error:
                    raise error
            yield (x[:8],)

    def interrupt():
        threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()
        time.sleep(1.0)

    ways = {
        "error of the data": lambda call: call(data(RuntimeError("the disk went away"))),
        "Ctrl-C in the data": lambda call: call(data(None, interrupt)),
        "error of a callback": lambda call: call(x, batch_size=8, callbacks=[_Breaks(OSError())]),
        "Ctrl-C in a callback": lambda call: call(
            x, batch_size=8, callbacks=[_Breaks(KeyboardInterrupt())]
        ),
    }
    for name in ("evaluate", "predict"):
        for way, broken in ways.items():
            before, told = model.get_weights(), None
            try:
                broken(functools.partial(getattr(model, name), verbose=0))
            except BaseException as error:
                told = error
            with contextlib.suppress(Exception):
                same = all(map(np.array_equal, before, model.get_weights()))
                model.fit(x, epochs=1, verbose=0)
                good = same and told is not None and np.isfinite(model.evaluate(x, verbose=0)).all()
                kept += good
                print(f"  {name}, {way}: {type(told).__name__}, {'kept' if good else 'LOST'}")
    print(f"{BACKEND} interruptions: weights there in {kept} of 8")
    return kept == 8


def _compiled(name):
    family = BY_NAME[name]
    if name != "factor_vae":
        return family.compiled()
    model = family.model()
    model.compile({group: keras.optimizers.Adam(1e-2) for group in model.groups()})
    return model


def train(folder):
    """Trains each family an epoch in turn, from what is in the folder, and saves after each."""
    with keras.saving.custom_object_scope(CUSTOM_OBJECTS):
        paths = {name: folder / f"{name}.keras" for name in RESUMED}
        models = {
            name: keras.saving.load_model(path) if path.exists() else _compiled(name)
            for name, path in paths.items()
        }
        (folder / "begun").touch()  # also where all of it is done
        for epoch in range(NUM_EPOCHS):
            for name, model in models.items():
                if int(model.optimizer.iterations) == NUM_STEPS * epoch:
                    pairs = BY_NAME[name].pairs(NUM_STEPS * BATCH_SIZE)
                    options = {"epochs": epoch + 1, "initial_epoch": epoch, "verbose": 0}
                    model.fit(*pairs, batch_size=BATCH_SIZE, **options)
                    model.save(paths[name])
        for name, model in models.items():
            np.savez(folder / f"{name}.npz", **state(model))


def resumes(seed=0):
    """Kills a training at three random moments, resumes each time, and compares the end with that
    of a training that was left alone."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as alone, tempfile.TemporaryDirectory() as killed:
        seconds, moments = _run(Path(alone)), []
        for _ in range(3):
            moment = chance.uniform(0, seconds / 3)
            _run(Path(killed), kill_after=moment)
            moments.append(_updates_done(Path(killed)))
        _run(Path(killed))
        worst = {}
        for name in RESUMED:
            a, b = (dict(np.load(Path(f) / f"{name}.npz")) for f in (alone, killed))
            worst[name] = float(largest_difference(a, b))
    told = ", ".join(f"{name} {value}" for name, value in worst.items())
    print(f"{BACKEND} resumes: killed after the updates {moments}; difference at the end: {told}")
    return not any(worst.values())


def _run(folder, kill_after=None):
    """Runs `train` in a process of its own; returns its seconds of training."""
    (folder / "begun").unlink(missing_ok=True)
    worker = subprocess.Popen(
        [sys.executable, __file__, "train", str(folder)], stderr=subprocess.DEVNULL
    )
    while not (folder / "begun").exists():
        if worker.poll() not in (None, 0):
            raise RuntimeError("the training failed")
        time.sleep(0.01)
    begin = time.monotonic()
    if kill_after is not None:
        time.sleep(kill_after)
        worker.kill()
    if worker.wait() and kill_after is None:
        raise RuntimeError("the training failed")
    return time.monotonic() - begin


def _updates_done(folder):
    return {
        name: int(keras.saving.load_model(folder / f"{name}.keras").optimizer.iterations)
        for name in RESUMED
        if (folder / f"{name}.keras").exists()
    }


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(Path(sys.argv[2]))
    else:
        trial = {"saves": saves, "interruptions": interruptions, "resumes": resumes}[sys.argv[1]]
        sys.exit(not trial(*map(int, sys.argv[2:])))
