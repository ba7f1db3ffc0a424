import numpy as np
import pytest
from tiny_recipe import NUM_TEST
from tiny_recipe import SHAPE
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

from keras_vae import datasets
from keras_vae.recipes import load_data
from keras_vae.recipes import training_batches


def test_dynamic_data_are_grey_to_train_and_drawn_once_to_test(tmp_path):
    recipe = read_tiny_recipe(tmp_path)
    data = load_data(recipe, tmp_path)
    raw = datasets.load(tmp_path / "tiny.npz")
    np.testing.assert_array_equal(data.train.x, raw.train.x)
    np.testing.assert_array_equal(data.test.x, datasets.binarize(raw.test.x, seed=1))
    assert data.test.x.shape == (NUM_TEST, *SHAPE)
    assert data.description == "Read from tiny.npz."


def test_other_binarisations_are_those_of_load(tmp_path):
    recipe = read_tiny_recipe(tmp_path, TEXT.replace('"dynamic"', '"threshold"'))
    data = load_data(recipe, tmp_path)
    raw = datasets.load(tmp_path / "tiny.npz")
    np.testing.assert_array_equal(data.train.x, raw.train.x >= 0.5)
    np.testing.assert_array_equal(data.test.x, raw.test.x >= 0.5)


@pytest.mark.parametrize("binarize", ["dynamic", "threshold"])
def test_batches_draw_anew_where_the_recipe_says_so(tmp_path, binarize):
    recipe = read_tiny_recipe(tmp_path, TEXT.replace('"dynamic"', f'"{binarize}"'))
    batches = training_batches(recipe, load_data(recipe, tmp_path), seed=5)
    assert (len(batches), batches.batch_size, batches.seed) == (3, 8, 5)
    assert set(np.unique(batches[0][0])) == {0, 1}
    assert batches.binarize is (binarize == "dynamic")


def test_data_that_are_not_there(tmp_path, monkeypatch):
    recipe = read_tiny_recipe(tmp_path)
    monkeypatch.chdir(tmp_path / "tiny")
    with pytest.raises(FileNotFoundError, match=r"no data file or folder 'tiny.npz'"):
        load_data(recipe)


def test_a_failed_download_is_an_error_of_the_outside_world(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("tensorflow-datasets could not give 'mnist'")

    monkeypatch.setattr(datasets, "load", fail)
    with pytest.raises(OSError, match="could not give 'mnist'"):
        load_data(read_tiny_recipe(tmp_path))
