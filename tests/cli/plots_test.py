from pathlib import Path

import numpy as np
import pytest
from tiny_recipe import OF_CODES
from tiny_recipe import write_tiny_preset
from tiny_recipe import write_tiny_recipe

from keras_vae import models
from keras_vae import plotting
from keras_vae import recipes
from keras_vae.cli.main import main

pytestmark = pytest.mark.one_backend

pytest.importorskip("matplotlib")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The working directory, with the untrained preset `tiny` and its data in it."""
    monkeypatch.chdir(tmp_path)
    write_tiny_preset(tmp_path)
    return tmp_path


def test_every_plot_that_a_model_has(here):
    assert main(["plot", "./tiny"]) == 0
    found = {path.stem for path in Path("plots").iterdir()}
    assert found == {
        "samples",
        "reconstructions",
        "latent_grid",
        "traversals",
        "interpolations",
        "latent_scatter",
        "kl",
        "nats",
    }


def test_plots_of_codes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_tiny_recipe(tmp_path, OF_CODES)
    recipes.train_recipe(recipes.read_recipe(path), "run", epochs=1, verbose=0)
    assert main(["plot", "./run", "--only", "codebook", "--only", "curves"]) == 0
    assert {path.stem for path in Path("plots").iterdir()} == {"codebook", "curves"}


def test_rows_of_a_table_are_not_drawn_as_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    names = "abcdefghi"  # nine columns, which would make a square
    rows = rng.uniform(size=(40, 9)).round(3)
    lines = [",".join(names), *(",".join(map(str, row)) for row in rows)]
    Path("rows.csv").write_text("\n".join(lines))
    options = ["--epochs", "1", "--output", "run"]
    assert main(["train", "--data", "rows.csv", *options]) == 0
    assert main(["plot", "./run", "--num-examples", "4"]) == 0
    found = {path.stem for path in Path("plots").iterdir()}
    assert found == {"latent_scatter", "nats", "curves"}  # no KL: the prior is a mixture


def test_a_plot_that_a_model_does_not_have(here, capsys):
    assert main(["plot", "./tiny", "--only", "code_maps"]) == 2
    error = capsys.readouterr().err
    assert "has no code_maps" in error
    assert "latent_grid" in error
    assert not Path("plots").exists()


def test_ways_lead_from_examples_to_others(here, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        plotting, "interpolations", lambda model, *ends, **choices: drawn.append((ends, choices))
    )
    command = ["interpolate", "./tiny", "--num", "3", "--steps", "4", "--how", "spherical"]
    assert main(command) == 0
    (first, second, path), choices = drawn[0]
    assert choices == {"condition": None, "steps": 4, "how": "spherical"}
    assert path == Path("interpolations.png")
    data = recipes.load_data(recipes.read_recipe("tiny/recipe.toml"))
    np.testing.assert_array_equal(first, data.test.x[:3])
    np.testing.assert_array_equal(second, data.test.x[3:6])


def test_the_ending_is_checked_before_the_work(here, monkeypatch, capsys):
    monkeypatch.setattr(models.GenerativeModel, "from_preset", None)
    assert main(["interpolate", "./tiny", "--output", "ways.npz"]) == 2
    assert "--output must end in .png" in capsys.readouterr().err
