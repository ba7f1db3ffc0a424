from pathlib import Path

import numpy as np
import pytest
from rents import TABLE

import keras_vae
from keras_vae.datasets.csv_tables import read_table
from keras_vae.datasets.csv_tables import write_table
from keras_vae.recipes import all_measures
from keras_vae.recipes import build_model
from keras_vae.recipes import build_optimizer
from keras_vae.recipes import load_data
from keras_vae.recipes import propose_table
from keras_vae.recipes import read_recipe
from keras_vae.recipes import train_recipe
from keras_vae.recipes import usage
from keras_vae.recipes import write_card

pytestmark = pytest.mark.one_backend

ROOT = Path(__file__).parents[3]
RECIPES = [
    ROOT / "examples/recipes/tables/counts_smfish.toml",
    *(ROOT / "zoo" / name / "recipe.toml" for name in ("vae_adult", "vae_cardio")),
]
TEXT = """
summary = "A tiny VAE of rents."

[data]
kind = "tables"
name = "rents.csv"
outliers = "odd"

[encoder]
class = "TableEncoder"
hidden_units = [8]
latent_dim = 2

[decoder]
class = "TableDecoder"
hidden_units = [8]

[model]
class = "VAE"

[training]
epochs = 20
batch_size = 32
learning_rate = 1e-2

[evaluation]
num_samples = 5
measures = ["outliers"]
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """`(recipe, data_dir, run folder, metrics)` of a run of rents, some of them absurd."""
    home = tmp_path_factory.mktemp("home")
    odd = [int(i % 10 == 0) for i in range(300)]
    rents = [3000.0 if o else rent for o, rent in zip(odd, TABLE["rent"], strict=True)]
    write_table(home / "rents.csv", {**TABLE, "rent": rents, "odd": odd})
    (home / "tiny").mkdir()
    (home / "tiny" / "recipe.toml").write_text(TEXT)
    recipe = read_recipe(home / "tiny" / "recipe.toml")
    folder = home / "run"
    return recipe, home, folder, train_recipe(recipe, folder, data_dir=home, verbose=0)


def test_the_likelihood_is_that_of_the_rows_that_are_no_outliers(run):
    recipe, home, folder, metrics = run
    model, test = keras_vae.VAE.from_preset(folder), load_data(recipe, home).test
    nats = model.log_likelihood(test.x[test.y == 0], num_samples=5, seed=0)
    assert metrics["test"]["nll"] == pytest.approx(-nats.mean(), rel=1e-5)
    assert metrics["test"]["num_examples"] == 27


def test_outliers_are_told_from_the_others(run):
    recipe, home, folder, metrics = run
    assert metrics["test"]["roc_auc"] > 0.99
    assert metrics["test"]["num_outliers"] == 30
    again = all_measures(keras_vae.VAE.from_preset(folder), recipe, load_data(recipe, home).test)
    assert again["roc_auc"] == metrics["test"]["roc_auc"]


def test_the_area_agrees_with_scikit_learn(run):
    metrics = pytest.importorskip("sklearn.metrics")
    recipe, home, folder, found = run
    test = load_data(recipe, home).test
    scores = keras_vae.VAE.from_preset(folder).score(test.x)
    assert found["test"]["roc_auc"] == pytest.approx(metrics.roc_auc_score(test.y, -scores))


def test_the_card_shows_rows(run):
    recipe, _, folder, metrics = run
    text = write_card(recipe, metrics, folder)
    assert "| city | rent | rooms |" in text
    assert set(read_table(folder / "samples.csv").values()["city"]) <= {"Bonn", "Ulm"}
    assert "ROC-AUC" in text
    assert "--data-dir" in text


def test_the_lines_of_the_card_run_as_they_stand(run, monkeypatch, capsys):
    recipe, home, folder, _ = run
    monkeypatch.chdir(home)
    names = {}
    exec(usage(recipe, str(folder)), names)
    assert np.isfinite(float(capsys.readouterr().out))
    assert set(names["rows"]) == {"city", "rent", "rooms"}


def test_a_recipe_is_proposed_for_a_table(tmp_path):
    further = {"id": [f"n{i}" for i in range(300)], "country": ["DE"] * 300}
    write_table(tmp_path / "rents.csv", {**further, **TABLE})
    table = read_table(tmp_path / "rents.csv")
    text, without = propose_table(table, "rents.csv", epochs=1)
    assert without == ["id", "country"]
    (tmp_path / "rents.toml").write_text(text)
    recipe = read_recipe(tmp_path / "rents.toml")
    metrics = train_recipe(recipe, tmp_path / "run", data_dir=tmp_path, verbose=0, smoke=True)
    assert np.isfinite(metrics["test"]["nll"])


def test_a_table_of_which_nothing_can_be_learned(tmp_path):
    write_table(tmp_path / "t.csv", {"a": [1, 1], "b": ["x", "x"]})
    with pytest.raises(ValueError, match="no column with values to learn from"):
        propose_table(read_table(tmp_path / "t.csv"), "t.csv")


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.parent.name)
def test_recipes_of_tables_train(path):
    recipe = read_recipe(path)
    kind = recipe.data.get("kinds", {}).get("*")
    rng = np.random.default_rng(0)
    columns = {"a": rng.poisson(5, 50).tolist(), "b": rng.poisson(9, 50).tolist()}
    schema = keras_vae.TableSchema.infer(
        columns if kind else TABLE, dict.fromkeys(columns, kind) if kind else None
    )
    x = schema.encode(columns if kind else TABLE)
    model = build_model(recipe, x.shape[1:], seed=0, schema=schema)
    model.compile(build_optimizer(recipe.training, num_updates=10))
    assert np.isfinite(model.train_on_batch(x[:8], return_dict=True)["loss"])
