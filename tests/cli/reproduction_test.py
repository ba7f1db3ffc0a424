import json

import keras
import pytest
from tiny_recipe import write_tiny_preset

import keras_vae
from keras_vae import recipes
from keras_vae.cli.main import main
from keras_vae.cli.reproduction import table

pytestmark = pytest.mark.one_backend

THIS = keras.config.backend()
OTHER = "torch" if THIS != "torch" else "jax"


@pytest.fixture
def preset(tmp_path, monkeypatch):
    """The folder `tiny` in the working directory, with the numbers of its untrained model."""
    monkeypatch.chdir(tmp_path)
    folder = write_tiny_preset(tmp_path)
    write_metrics(folder, measured(folder))
    return folder


def measured(folder):
    recipe = recipes.read_recipe(folder / "recipe.toml")
    test = recipes.load_data(recipe).test
    return recipes.all_measures(keras_vae.VAE.from_preset(folder), recipe, test, verbose=0)


def write_metrics(folder, test, backend=OTHER):
    metrics = {"preset": "tiny", "test": test, "environment": {"backend": backend}}
    (folder / "metrics.json").write_text(json.dumps(metrics))


def test_numbers_that_are_as_stated(preset, capsys):
    assert main(["evaluate", "tiny", "--full", "--output", "new/again.json"]) == 0
    told = capsys.readouterr().out
    assert "nll_standard_error" in told
    assert "DIFFERS" not in told
    again = json.loads((preset.parent / "new/again.json").read_text())
    stated = json.loads((preset / "metrics.json").read_text())
    for numbers in (again, stated):
        numbers["test"].pop("nll_seconds")
    assert again["test"] == pytest.approx(stated["test"], rel=1e-5)


def test_a_number_that_differs_is_named(preset, capsys):
    stated = json.loads((preset / "metrics.json").read_text())["test"]
    write_metrics(preset, stated | {"kl": stated["kl"] * 1.01})
    before = (preset / "metrics.json").read_text()
    assert main(["evaluate", "tiny", "--full", "--record"]) == 3
    told = capsys.readouterr()
    assert told.err == "keras-vae: differs from the card: kl\n"
    (line,) = [line for line in told.out.splitlines() if "DIFFERS" in line]
    assert line.split()[0] == "kl"
    assert (preset / "metrics.json").read_text() == before  # nothing wrong is kept


def test_numbers_of_another_backend_are_kept(preset):
    before = json.loads((preset / "metrics.json").read_text())
    assert main(["evaluate", "tiny", "--full", "--record"]) == 0
    metrics = json.loads((preset / "metrics.json").read_text())
    again = metrics.pop("backends")[THIS]
    assert metrics == before
    assert again["test"]["kl"] == pytest.approx(before["test"]["kl"], rel=1e-5)
    assert again["environment"]["backend"] == THIS


def test_those_of_the_same_backend_are_there_already(preset, capsys):
    write_metrics(preset, json.loads((preset / "metrics.json").read_text())["test"], THIS)
    before = (preset / "metrics.json").read_text()
    assert main(["evaluate", "tiny", "--full", "--record"]) == 0
    assert "nothing to record" in capsys.readouterr().out
    assert (preset / "metrics.json").read_text() == before


def test_a_number_that_the_card_does_not_state_is_added_to_it(preset, capsys):
    before = json.loads((preset / "metrics.json").read_text())["test"]
    write_metrics(preset, {k: v for k, v in before.items() if k != "active_units"}, THIS)
    assert main(["evaluate", "tiny", "--full"]) == 3
    assert capsys.readouterr().err == "keras-vae: differs from the card: active_units\n"
    assert main(["evaluate", "tiny", "--full", "--record"]) == 0
    told = capsys.readouterr().out
    (line,) = [line for line in told.splitlines() if line.endswith("not on the card")]
    assert line.split()[:2] == ["active_units", "-"]
    metrics = json.loads((preset / "metrics.json").read_text())
    assert metrics["test"]["active_units"] == before["active_units"]
    assert metrics["test"]["kl"] == before["kl"]
    assert "backends" not in metrics


def test_without_numbers_there_is_nothing_to_compare(preset, capsys):
    (preset / "metrics.json").unlink()
    assert main(["evaluate", "tiny", "--full"]) == 2
    assert "no numbers to measure again" in capsys.readouterr().err


def test_table():
    found = [("kl", 26.0, 26.5, 0.026, False), ("active_units", 3, 3, 0.0, True)]
    assert table(found).splitlines() == [
        "number        stated  measured  tolerance",
        "kl            26      26.5      0.026      DIFFERS",
        "active_units  3       3         0",
    ]


def test_presets_are_found_as_elsewhere(capsys):
    assert main(["evaluate", "nothing", "--full"]) == 2
    assert "There is no preset 'nothing'" in capsys.readouterr().err
