import numpy as np
import pytest
from tiny_recipe import NUM_TEST
from tiny_recipe import SHAPE
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

from keras_vae import datasets
from keras_vae.recipes import load_data
from keras_vae.recipes import pairs
from keras_vae.recipes import training_batches

pytestmark = pytest.mark.one_backend


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
    with pytest.raises(FileNotFoundError, match=r"no data.*'tiny\.npz'"):
        load_data(recipe)


def test_a_failed_download_is_an_error_of_the_outside_world(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("tensorflow-datasets could not give 'mnist'")

    monkeypatch.setattr(datasets, "load", fail)
    with pytest.raises(OSError, match="could not give 'mnist'"):
        load_data(read_tiny_recipe(tmp_path))


def recipe_of_pairs(folder, kind, binarize="dynamic"):
    text = TEXT.replace('binarize = "dynamic"', f'binarize = "{binarize}"\npairs = "{kind}"')
    return read_tiny_recipe(folder, text)


@pytest.mark.parametrize("kind", ["labels", "classes"])
def test_labels_come_with_their_pictures(tmp_path, kind):
    recipe = recipe_of_pairs(tmp_path, kind, "threshold")
    x = np.arange(24)[:, None, None, None] * np.ones((1, *SHAPE))
    arrays = datasets.Arrays((x / 24).astype("float32"), np.arange(24, dtype="int32"))
    data = datasets.Splits("tiny", train=arrays, test=arrays)
    batches = training_batches(recipe, data, seed=0)
    for i in range(len(batches)):
        pictures, labels = batches[i]
        np.testing.assert_allclose(pictures[:, 0, 0, 0] * 24, labels, rtol=1e-5)
    for found, given in zip(pairs(recipe, arrays), (arrays.x, arrays.y), strict=True):
        assert found is given


def test_completion_pairs_are_made_of_the_drawn_pictures(tmp_path):
    recipe = recipe_of_pairs(tmp_path, "completion")
    data = load_data(recipe, tmp_path)
    x, seen = training_batches(recipe, data, seed=0)[0]
    assert set(np.unique(x)) == {0, 1}
    values, mask = seen[..., :1], seen[..., 1:]
    np.testing.assert_array_equal(values, x * mask)
    assert len(np.unique(mask.sum(axis=(1, 2, 3)))) > 1  # some see more quadrants than others
    again = pairs(recipe, data.test)
    np.testing.assert_array_equal(again[1], pairs(recipe, data.test)[1])
    np.testing.assert_array_equal(
        pairs(recipe, data.test, 2)[1], datasets.seen_quadrants(data.test.x, 2)
    )


def test_prediction_is_completion_the_other_way_round(tmp_path):
    ways = [recipe_of_pairs(tmp_path, kind) for kind in ("completion", "prediction")]
    data = load_data(ways[0], tmp_path)
    for num_seen in (None, 3):
        x, seen = pairs(ways[0], data.test, num_seen)
        seen_again, x_again = pairs(ways[1], data.test, num_seen)
        np.testing.assert_array_equal(x, x_again)
        np.testing.assert_array_equal(seen, seen_again)
    first, second = (training_batches(recipe, data, seed=0)[0] for recipe in ways)
    np.testing.assert_array_equal(first[0], second[1])


def test_other_pairs_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"`pairs` of .*Received: 'colours'"):
        load_data(recipe_of_pairs(tmp_path, "colours"), tmp_path)


def test_labels_that_are_missing_are_told_before_anything_is_written(tmp_path):
    text = TEXT.replace('binarize = "dynamic"', 'binarize = "dynamic"\npairs = "labels"')
    recipe = read_tiny_recipe(tmp_path, text)
    with pytest.raises(ValueError, match=r"'tiny.npz' have no labels.*y_train"):
        training_batches(recipe, load_data(recipe, tmp_path), seed=0)
