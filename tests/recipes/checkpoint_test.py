import json

import keras
import numpy as np
import pytest
from tiny_recipe import SHAPE
from tiny_recipe import read_tiny_recipe

from keras_vae.recipes import build_model
from keras_vae.recipes import checkpoint
from keras_vae.recipes.checkpoint import Checkpoint

pytestmark = pytest.mark.one_backend

X = np.random.default_rng(0).integers(0, 2, (12, *SHAPE)).astype("float32")
SETTINGS = {"recipe": "text", "epochs": 4, "seed": 0}


@pytest.fixture
def make(tmp_path):
    """A function that makes the same model every time."""
    recipe = read_tiny_recipe(tmp_path)

    def make_model():
        keras.utils.set_random_seed(0)
        model = build_model(recipe, SHAPE, seed=0)
        model.compile(keras.optimizers.Adam(0.01))
        return model

    return make_model


def train(model, folder, epochs, settings=SETTINGS):
    """Trains in three batches an epoch from where the folder's checkpoint is."""
    saved = Checkpoint(folder, settings)
    done = saved.restore(model, steps_per_epoch=3)
    options = {"batch_size": 4, "callbacks": [saved], "verbose": 0}
    model.fit(X, epochs=epochs, initial_epoch=done, **options)
    return done


def test_it_goes_on_where_it_stopped(make, tmp_path):
    whole, first, second = make(), make(), make()
    assert train(whole, tmp_path / "whole", epochs=4) == 0
    assert train(first, tmp_path / "parts", epochs=2) == 0
    assert train(second, tmp_path / "parts", epochs=4) == 2
    assert train(make(), tmp_path / "parts", epochs=4) == 4
    for a, b in zip(whole.variables, second.variables, strict=True):
        if "metric" not in a.path and "mean" not in a.path.split("/")[0]:
            np.testing.assert_array_equal(
                keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b), err_msg=a.path
            )


def test_weights_that_are_half_written_are_never_read(make, tmp_path, monkeypatch):
    def die(source, target):
        raise KeyboardInterrupt

    train(make(), tmp_path, epochs=1)
    monkeypatch.setattr(checkpoint.os, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        Checkpoint(tmp_path, SETTINGS).restore(make(), 3)
    model = make()
    callback = Checkpoint(tmp_path, SETTINGS)
    callback.set_model(model)
    with pytest.raises(KeyboardInterrupt):
        callback.on_epoch_end(1)
    monkeypatch.undo()
    assert train(make(), tmp_path, epochs=1) == 1


@pytest.mark.parametrize("changes", [{"epochs": 5}, {"seed": 1}, {"recipe": "x", "seed": 1}])
def test_other_settings_are_refused(make, tmp_path, changes):
    train(make(), tmp_path, epochs=1)
    names = ", ".join(sorted(changes))
    with pytest.raises(ValueError, match=f"interrupted.*other settings: {names}"):
        Checkpoint(tmp_path, SETTINGS | changes)


def test_a_folder_without_a_run_takes_any_settings(make, tmp_path):
    assert train(make(), tmp_path / "new", epochs=1, settings={"seed": 7}) == 0


def test_seconds_add_up_over_sessions(make, tmp_path):
    train(make(), tmp_path, epochs=1)
    path = tmp_path / checkpoint.FOLDER / "run.json"
    run = json.loads(path.read_text())
    assert 0 < run["seconds"][0] < 100
    path.write_text(json.dumps(run | {"seconds": [1000.0, 500.0]}))
    wall, cpu = Checkpoint(tmp_path, SETTINGS).seconds()
    assert 1000 <= wall < 1001
    assert 500 <= cpu < 501


def test_remove(make, tmp_path):
    train(make(), tmp_path, epochs=1)
    saved = Checkpoint(tmp_path, SETTINGS)
    saved.remove()
    assert not (tmp_path / checkpoint.FOLDER).exists()
    saved.remove()
