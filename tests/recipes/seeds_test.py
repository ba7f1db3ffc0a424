import json

import keras
import pytest
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

from keras_vae.recipes import seeds as module
from keras_vae.recipes import train_recipe
from keras_vae.recipes import train_seeds

pytestmark = pytest.mark.one_backend


@pytest.fixture
def trained(tmp_path):
    """`(recipe, metrics)` of a run of one epoch."""
    recipe = read_tiny_recipe(tmp_path, TEXT.replace("epochs = 4", "epochs = 1"))
    return recipe, train_recipe(recipe, tmp_path / "run", data_dir=tmp_path, verbose=0)


def test_a_further_seed_is_that_training_and_is_not_repeated(trained, tmp_path, monkeypatch):
    recipe, metrics = trained
    options = {"data_dir": tmp_path, "verbose": 0}
    found = train_seeds(recipe, metrics, tmp_path / "runs", 2, **options)
    alone = train_recipe(recipe, tmp_path / "alone", seed=1, **options)
    assert found["seeds"].keys() == {"1"}
    assert found["seeds"]["1"]["nll"] == alone["test"]["nll"] != metrics["test"]["nll"]
    assert {**found, "seeds": None} == {**metrics, "seeds": None}
    monkeypatch.setattr(module, "train_recipe", lambda *args, **kwargs: pytest.fail("again"))
    assert train_seeds(recipe, metrics, tmp_path / "runs", 2, **options) == found


def test_a_run_of_another_recipe_is_not_taken_for_this(trained, tmp_path):
    recipe, metrics = trained
    folder = tmp_path / "runs" / "tiny-seed-1"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "recipe.toml").write_text(TEXT)
    with pytest.raises(ValueError, match="another recipe"):
        train_seeds(recipe, metrics, tmp_path / "runs", 2, data_dir=tmp_path)


def test_what_does_not_compare(tmp_path):
    recipe = read_tiny_recipe(tmp_path)
    metrics = {"environment": {"backend": keras.config.backend()}, "training": {"seed": 0}}
    with pytest.raises(ValueError, match=r"at least 2.*Received: 1"):
        train_seeds(recipe, metrics, tmp_path, 1)
    with pytest.raises(ValueError, match="KERAS_BACKEND=abacus"):
        train_seeds(recipe, {"environment": {"backend": "abacus"}}, tmp_path, 2)
