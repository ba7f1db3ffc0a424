import numpy as np
import pytest
from families import BY_NAME
from tiny_recipe import SHAPE
from tiny_recipe import TEXT
from tiny_recipe import write_tiny_preset
from tiny_recipe import write_tiny_recipe
from tiny_texts import write_tiny_texts

import keras_vae
from keras_vae import LabelCondition
from keras_vae import PixelCNN
from keras_vae import datasets
from keras_vae import models
from keras_vae.cli import evaluation_data
from keras_vae.cli.main import main
from keras_vae.recipes import build_model
from keras_vae.recipes import load_data

pytestmark = pytest.mark.one_backend


@pytest.fixture
def preset(tmp_path, monkeypatch):
    """The folder `tiny` in the working directory: a recipe, and its model, untrained."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KERAS_VAE_DATA_DIR", raising=False)
    return write_tiny_preset(tmp_path)


@pytest.fixture
def model(preset):
    return keras_vae.VAE.from_preset(preset)


def run(*arguments):
    assert main(arguments) == 0


def test_samples_are_the_models(model, capsys):
    run("sample", "tiny", "--num", "5", "--seed", "3", "--output", "new/samples.npz")
    images = np.load("new/samples.npz")["images"]
    np.testing.assert_array_equal(images, model.sample(5, seed=3))
    run("sample", "tiny", "--num", "5", "--seed", "3", "--output", "samples.npy")
    np.testing.assert_array_equal(np.load("samples.npy"), images)
    assert capsys.readouterr().out.splitlines()[-1] == "Wrote samples.npy"


def test_completions_of_the_pictures_of_a_recipe(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_tiny_recipe(tmp_path, TEXT.replace("[data]", '[data]\npairs = "completion"'))
    told = (*SHAPE[:2], 2)  # the pixels and what is seen of them
    model = keras_vae.CVAE(
        keras_vae.MLPEncoder(SHAPE, 2, (4,), condition_shape=told),
        keras_vae.CompletionDecoder(SHAPE, 2, (4,)),
        condition=keras_vae.ArrayCondition(told),
    )
    model.save_to_preset("tiny")
    run("sample", "tiny", "--num", "4", "--seed", "1", "--data-dir", ".", "--output", "a.npz")
    found = np.load("a.npz")
    np.testing.assert_array_equal(np.unique(found["seen"]), [0, 0.5, 1])
    is_seen = found["seen"] != 0.5
    np.testing.assert_allclose(found["images"][is_seen], found["seen"][is_seen], atol=1e-6)
    assert found["images"].shape == (4, *SHAPE)
    assert main(["sample", "tiny", "--data", "absent.npz"]) == 2


def test_texts_are_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    recipe = write_tiny_texts(tmp_path)
    data = load_data(recipe, tmp_path)
    given = recipe.kind.given(data)
    model = build_model(recipe, data.train.x.shape[1:], seed=0, **given)
    model.save_to_preset("tiny")
    run("sample", "tiny", "--num", "3", "--seed", "1")
    assert capsys.readouterr().out.splitlines() == model.sample(3, seed=1)
    run("reconstruct", "tiny", "--num", "2")
    lines = capsys.readouterr().out.splitlines()
    texts = data.vocabulary.decode(data.test.x[:2])
    assert lines[::2] == texts
    assert [line.strip() for line in lines[1::2]] == model.reconstruct(texts)
    for command in ("sample", "reconstruct"):
        assert main([command, "tiny", "--output", "texts.npz"]) == 2
        assert "leave --output out" in capsys.readouterr().err
    assert not (tmp_path / "texts.npz").exists()


def test_samples_differ_without_a_seed(preset):
    for name in ("a.npy", "b.npy"):
        run("sample", "tiny", "--num", "2", "--output", name)
    assert np.any(np.load("a.npy") != np.load("b.npy"))


def test_samples_of_a_class_or_of_each_in_turn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = BY_NAME["cvae"].model()
    model.save_to_preset("cvae")
    for arguments, labels in ((["--label", "2"], [2] * 5), ([], [0, 1, 2, 0, 1])):
        run("sample", "cvae", "--num", "5", "--seed", "3", "--output", "a.npy", *arguments)
        np.testing.assert_array_equal(np.load("a.npy"), model.sample(5, labels, seed=3))


def test_labels_of_a_prior_of_codes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = BY_NAME["vqvae"].model()
    labels = LabelCondition(3)
    model.take_priors([PixelCNN((3, 3), 4, filters=4, num_blocks=1, condition=labels, seed=1)])
    model.save_to_preset("vqvae")
    run("sample", "vqvae", "--num", "5", "--seed", "3", "--output", "a.npy")
    np.testing.assert_array_equal(np.load("a.npy"), model.sample(5, [0, 1, 2, 0, 1], seed=3))
    x, y = BY_NAME["vqvae"].data(), np.zeros(8, "int32")
    monkeypatch.setattr(evaluation_data, "pairs_of", lambda *arguments: (x, y))
    np.savez("any.npz", x=x)
    run("reconstruct", "vqvae", "--data", "any.npz", "--output", "b.npy")
    np.testing.assert_array_equal(np.load("b.npy"), model.reconstruct(x))


def test_a_predictor_makes_no_pictures(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    BY_NAME["classifier"].model().save_to_preset("classifier")
    assert main(["reconstruct", "classifier", "--data", "mnist_mini"]) == 2
    assert "classifier is a Predictor, which cannot reconstruct" in capsys.readouterr().err
    assert main(["sample", "classifier"]) == 2
    assert "nothing to sample" in capsys.readouterr().err


def test_samples_can_be_read_as_data(preset):
    run("sample", "tiny", "--num", "20", "--output", "samples.npz")
    assert datasets.load("samples.npz").train.x.shape == (18, 6, 5, 1)


def test_reconstructions_are_the_models(model):
    run("reconstruct", "tiny", "--num", "4", "--output", "pairs.npz")
    x = datasets.binarize(datasets.load("tiny.npz").test.x, seed=1)[:4]
    pairs = np.load("pairs.npz")
    np.testing.assert_array_equal(pairs["originals"], x)
    np.testing.assert_allclose(pairs["reconstructions"], model.reconstruct(x), rtol=1e-6)
    run("reconstruct", "tiny", "--num", "4", "--output", "copies.npy")
    np.testing.assert_array_equal(np.load("copies.npy"), pairs["reconstructions"])


def test_pictures(preset):
    imread = pytest.importorskip("matplotlib.image").imread
    run("sample", "tiny", "--num", "4")
    run("reconstruct", "tiny", "--num", "3")
    grid, pairs = imread("samples.png"), imread("reconstructions.png")
    # Two by two pictures of 6 x 5 with a line between, enlarged to 64 pixels at least.
    assert grid.shape[:2] == (13 * 13, 13 * 11)
    assert pairs.shape[0] == 13 * 13


def test_the_ending_is_checked_before_the_work(preset, monkeypatch, capsys):
    monkeypatch.setattr(models.GenerativeModel, "from_preset", None)
    for command in ("sample", "reconstruct"):
        assert main([command, "tiny", "--output", "pictures.tiff"]) == 2
        assert ".png, .npz or .npy" in capsys.readouterr().err
