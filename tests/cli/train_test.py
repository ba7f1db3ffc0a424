import json
from pathlib import Path

import numpy as np
import pytest
from tiny_recipe import write_tiny_recipe

from keras_vae import recipes
from keras_vae.cli.main import main

pytestmark = pytest.mark.one_backend


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The working directory, with `tiny.npz` and `tiny/recipe.toml` in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KERAS_VAE_DATA_DIR", raising=False)
    write_tiny_recipe(tmp_path)
    return tmp_path


def test_a_finished_run_is_not_overwritten(here, capsys, monkeypatch):
    folders = []

    def finish(recipe, folder, **options):
        folder.mkdir(parents=True)
        (folder / "metrics.json").touch()
        folders.append(str(folder))
        raise KeyboardInterrupt  # the rest of the command is tested above

    monkeypatch.setattr(recipes, "train_recipe", finish)
    for _ in range(3):
        main(["train", "tiny"])
    assert folders == [str(Path("runs", name)) for name in ("tiny", "tiny-2", "tiny-3")]
    assert main(["train", "tiny", "--output", "runs/tiny-2"]) == 2
    assert "holds a finished run" in capsys.readouterr().err
    assert len(folders) == 3


def test_an_interrupted_run_is_gone_on_with(here, capsys):
    def die(self, epoch, logs=None):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras_vae.recipes.checkpoint.Checkpoint.on_epoch_begin", die)
        assert main(["train", "tiny", "--epochs", "2"]) == 130
    error = capsys.readouterr().err
    assert error == "keras-vae: interrupted; the same command goes on from the last epoch\n"
    assert main(["train", "tiny", "--epochs", "3"]) == 2
    assert "other settings: epochs" in capsys.readouterr().err
    assert main(["train", "tiny", "--epochs", "2"]) == 0
    assert [path.name for path in (here / "runs").iterdir()] == ["tiny"]


@pytest.fixture
def photos(here):
    """A folder of colour pictures of several sizes."""
    image = pytest.importorskip("PIL.Image")
    (here / "photos").mkdir()
    rng = np.random.default_rng(0)
    for number in range(20):
        size = (10 + number % 3, 12, 3)
        pixels = rng.integers(0, 256, size, dtype="uint8")
        image.fromarray(pixels).save(here / "photos" / f"{number}.png")
    return here / "photos"


def test_pictures_of_ones_own(photos, capsys, monkeypatch):
    command = ["train", "--data", "./photos", "--image-size", "8", "--latent-dim", "3"]
    assert main([*command, "--set", "training.batch_size=9", "--smoke"]) == 0
    (folder,) = Path("runs").iterdir()
    recipe = recipes.read_recipe(folder / "recipe.toml")
    assert recipe.data == {"name": str(photos), "image_size": [8, 8]}
    assert (recipe.parts["encoder"]["latent_dim"], recipe.training["batch_size"]) == (3, 9)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["training"]["epochs"] == 1
    assert metrics["data"]["shape"] == [8, 8, 3]
    again = f"keras-vae train {folder / 'recipe.toml'}"
    assert again in capsys.readouterr().out
    monkeypatch.chdir(folder)  # wherever it is given, the recipe finds the pictures
    assert main(["train", "recipe.toml", "--smoke", "--output", "again"]) == 0


def test_a_recipe_lies_there_from_the_beginning(here):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras_vae.models.VAE.fit", raise_interrupt)
        assert main(["train", "tiny", "--set", "training.epochs=7"]) == 130
    recipe = recipes.read_recipe(here / "runs" / "tiny" / "recipe.toml")
    assert recipe.training["epochs"] == 7


def raise_interrupt(*arguments, **options):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "a RECIPE, such as"),
        (["tiny", "--data", "tiny.npz"], "--set data.name=tiny.npz"),
        (["tiny", "--latent-dim", "3"], "--latent-dim can only be used with --data"),
        (["tiny", "--set", "model.beta=3"], "[model] gives beta"),
        (["--data", "people.parquet"], "model.fit(frame)"),
        (["--data", "./missing"], "no data file or folder"),
        (["--data", "tiny.npz", "--model", "cvae"], "needs labels"),
        (["--data", "tiny.npz", "--image-size", "0x3"], "HEIGHTxWIDTH"),
    ],
)
def test_what_cannot_be_trained_is_said_in_a_line(here, capsys, arguments, message):
    assert main(["train", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (here / "runs").exists() or not list((here / "runs").glob("*/metrics.json"))


def test_a_traceback_is_shown_where_it_is_asked_for(here):
    with pytest.raises(FileNotFoundError, match="no data file"):
        main(["train", "--data", "./missing", "--debug"])
