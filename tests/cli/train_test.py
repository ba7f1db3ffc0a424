from pathlib import Path

import pytest
from tiny_recipe import write_tiny_recipe

from keras_vae import recipes
from keras_vae.cli.main import main
from keras_vae.cli.train import verbosity

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
    assert "another epochs" in capsys.readouterr().err
    assert main(["train", "tiny", "--epochs", "2"]) == 0
    assert [path.name for path in (here / "runs").iterdir()] == ["tiny"]


def test_a_bar_is_for_terminals(monkeypatch):
    for is_terminal, expected in ((True, 1), (False, 2)):
        monkeypatch.setattr("sys.stdout.isatty", lambda answer=is_terminal: answer)
        assert verbosity() == expected
