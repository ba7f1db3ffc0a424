import numpy as np
import pytest
from tiny_recipe import write_tiny_recipe

from keras_vae import datasets
from keras_vae.cli.evaluation_data import pairs_of
from keras_vae.cli.evaluation_data import recipe_of

pytestmark = pytest.mark.one_backend


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder `tiny` in the working directory, with a recipe."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KERAS_VAE_DATA_DIR", raising=False)
    return write_tiny_recipe(tmp_path).parent


def test_the_recipes_own_data(folder):
    recipe = recipe_of(folder, None, None)
    (x,) = pairs_of(recipe, 4, None, None)
    expected = datasets.binarize(datasets.load("tiny.npz").test.x, seed=1)[:4]
    np.testing.assert_array_equal(x, expected)


def test_other_data_and_another_seed_in_its_place(folder):
    recipe = recipe_of(folder, "other.npz", 7)
    assert recipe.data == {"name": "other.npz", "binarize": "dynamic"}
    assert recipe.evaluation == {"num_samples": 3, "seed": 7}


def test_without_a_recipe_data_are_taken_as_they_are(folder):
    (folder / "recipe.toml").unlink()
    assert recipe_of(folder, "tiny.npz", 7) is None
    (x,) = pairs_of(None, None, "tiny.npz", None)
    np.testing.assert_array_equal(x, datasets.load("tiny.npz").test.x)
    with pytest.raises(ValueError, match="give --data"):
        recipe_of(folder, None, None)
