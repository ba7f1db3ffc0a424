"""The code of CONTRIBUTING.md runs: its files are made modules, and its tests are run."""

import inspect
import re
import sys
import types
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_vae import models
from keras_vae import quantizers
from keras_vae import recipes

pytestmark = pytest.mark.one_backend

CHECKOUT = Path(__file__).parents[1]
TEXT = (CHECKOUT / "CONTRIBUTING.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
FILES = {text.split()[1]: text for language, text in BLOCKS if language == "python"}
EXPORTS = {"ConsistentVAE": models, "RandomQuantizer": quantizers}


def executed(path, monkeypatch):
    """Returns a file of the text as a module."""
    module = types.ModuleType(path.removesuffix(".py").replace("/", "."))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(FILES[path], path, "exec"), vars(module))
    return module


@pytest.fixture
def exported(monkeypatch):
    """The classes of the text, where those of the library are."""
    registered = keras.saving.get_custom_objects()
    before = dict(registered)
    for path in FILES:
        if path.startswith("keras_vae/"):
            module = executed(path, monkeypatch)
            for name in EXPORTS.keys() & vars(module).keys():
                monkeypatch.setattr(EXPORTS[name], name, vars(module)[name], raising=False)
    yield
    registered.clear()
    registered.update(before)


@pytest.mark.parametrize("path", [path for path in FILES if path.startswith("tests/")])
def test_its_tests_pass(path, exported, monkeypatch, tmp_path):
    module = executed(path, monkeypatch)
    tests = [value for name, value in vars(module).items() if name.startswith("test_")]
    assert tests
    for test in tests:
        keras.utils.set_random_seed(0)
        test(**dict.fromkeys(inspect.signature(test).parameters, tmp_path))


def test_its_recipe_trains(exported, tmp_path):
    (toml,) = [text for language, text in BLOCKS if language == "toml"]
    folder = tmp_path / "consistent_vae_mnist"
    folder.mkdir()
    (folder / "recipe.toml").write_text(toml)
    recipe = recipes.read_recipe(folder / "recipe.toml")
    twin = recipes.read_recipe(CHECKOUT / "zoo" / recipe.twin / "recipe.toml")
    assert (twin.training, twin.data) == (recipe.training, recipe.data)
    model = recipes.build_model(recipe, (28, 28, 1), seed=0)
    model.compile(recipes.build_optimizer(recipe.training, num_updates=10))
    x = np.random.default_rng(0).integers(0, 2, (8, 28, 28, 1)).astype("float32")
    assert np.isfinite(model.train_on_batch(x, return_dict=True)["consistency"])
