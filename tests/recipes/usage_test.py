import numpy as np
import pytest
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

from keras_vae.recipes import train_recipe
from keras_vae.recipes import usage


def test_by_hand(tmp_path):
    assert usage(read_tiny_recipe(tmp_path)).splitlines() == [
        "import keras_vae",
        "",
        'model = keras_vae.VAE.from_preset("tiny")',
        'data = keras_vae.datasets.load("tiny.npz")',
        "x = keras_vae.datasets.binarize(data.test.x[:100], seed=1)",
        "z, new = model.encode(x).mean, model.sample(16, seed=0)",
        "print(model.log_likelihood(x, num_samples=100, seed=0).mean())  # nats",
    ]


@pytest.mark.parametrize("binarize", ["dynamic", "fixed"])
def test_it_runs_as_it_stands(tmp_path, monkeypatch, capsys, binarize):
    recipe = read_tiny_recipe(tmp_path, TEXT.replace('"dynamic"', f'"{binarize}"'))
    monkeypatch.chdir(tmp_path)
    train_recipe(recipe, tmp_path / "run", epochs=1, verbose=0)
    capsys.readouterr()
    names = {}
    exec(usage(recipe, "run"), names)
    assert float(capsys.readouterr().out) < 0
    assert set(np.unique(names["x"])) == {0, 1}
    assert names["new"].shape == (16, 6, 5, 1)
