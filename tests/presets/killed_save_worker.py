"""Saves that are killed before each of their file operations, and at random: FOLDER.

Prints how many were killed. Each save runs in a fork of this process, as a kill ends a process.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from keras_vae.presets import read_preset
from keras_vae.presets import write_preset

MODELS = [{"number": n} for n in range(2)]
# Large enough for a random kill to find the file half written.
TENSORS = [{"a": np.full(2**18, n, "float32")} for n in range(2)]


def killed(folder, number, moment=None, seconds=None):
    """Saves model `number` in a child that dies at a moment; returns whether it did."""
    child = os.fork()
    if child == 0:
        if moment is not None:
            die_before_operation(moment)
        write_preset(folder, MODELS[number], TENSORS[number])
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def die_before_operation(moment):
    """Kills this process before it opens, renames, removes, or makes its n-th file."""
    count = 0

    def hook(event, arguments):
        nonlocal count
        if event.split(".")[0] in ("open", "os", "shutil", "tempfile"):
            count += 1
            if count == moment + 1:
                os.kill(os.getpid(), signal.SIGKILL)  # an event of its own

    sys.addaudithook(hook)


def held(folder):
    """Returns which model the folder holds, whole."""
    preset = read_preset(folder)
    tensors, number = preset.read_tensors(), preset.model_config["number"]
    np.testing.assert_array_equal(tensors["a"], TENSORS[number]["a"])
    return number


def main(folder):
    write_preset(folder, MODELS[0], TENSORS[0])
    num_kills, seen = 0, []
    while killed(folder, 1, moment=num_kills):
        seen.append(held(folder))
        write_preset(folder, MODELS[0], TENSORS[0])
        assert sorted(os.listdir(folder)) == ["config.json", "model.safetensors"]
        num_kills += 1
    assert seen == sorted(seen), "a later kill left an older preset"
    assert seen[0] == 0, "no kill came before the new preset held"
    for i in range(30):
        num_kills += killed(folder, i % 2, seconds=random.Random(i).uniform(0, 0.01))
        held(folder)
    write_preset(folder, MODELS[0], TENSORS[0])
    assert sorted(os.listdir(folder)) == ["config.json", "model.safetensors"]
    print(num_kills)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
