"""Runs the Python code of a text as a reader would, with few digits and epochs."""

import dataclasses
import re

import keras_vae

NUM_DIGITS = 400  # to train on
LESS = {
    r"(?<!initial_)epochs=(?:[3-9]|\d\d)": "epochs=1",
    r"num_updates=\d+": "num_updates=2",
    r"num_samples=\d\d+": "num_samples=2",
}


def run_code_of(path, monkeypatch):
    """Returns the names that the code of a text leaves behind."""
    load = keras_vae.datasets.load

    def load_few(*args, **kwargs):
        data = load(*args, **kwargs)
        few = keras_vae.datasets.Arrays(data.train.x[:NUM_DIGITS], data.train.y[:NUM_DIGITS])
        return dataclasses.replace(data, train=few)

    monkeypatch.setattr(keras_vae.datasets, "load", load_few)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", path.read_text(), flags=re.DOTALL):
        for more, less in LESS.items():
            block = re.sub(more, less, block)
        exec(block, names)
    return names
