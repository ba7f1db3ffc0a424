import json
import re

import pytest
from tiny_recipe import write_tiny_preset

from keras_vae.cli.main import main
from keras_vae.presets import finding

pytestmark = pytest.mark.one_backend

METRICS = {
    "test": {
        "elbo": -102.5,
        "nll": 96.338,
        "nll_standard_error": 0.741,
        "nll_bits_per_dim": 0.17728,
        "nll_num_samples": 5000,
        "num_examples": 10000,
        "active_units": 19,
        "latent_dim": 20,
    },
    "training": {
        "epochs": 40,
        "updates": 1600,
        "seed": 0,
        "num_parameters": 120344,
        "num_examples": 4000,
        "wall_seconds": 83.2,
    },
    "environment": {
        "date": "2026-01-02",
        "backend": "jax",
        "keras": "3.15.1",
        "keras_vae": "0.1.0",
        "processor": "Abacus",
        "cores": 2,
    },
}


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """A zoo of `tiny`, trained, and `untrained`, a recipe."""
    folder = write_tiny_preset(tmp_path)
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    (tmp_path / "untrained").mkdir()
    (tmp_path / "untrained" / "recipe.toml").write_text((folder / "recipe.toml").read_text())
    monkeypatch.setattr(finding, "_ZOOS", (tmp_path,))
    return tmp_path


def told(capsys, *arguments):
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_list(zoo, capsys):
    lines = told(capsys, "list").splitlines()
    assert lines[:3] == [
        "preset     family  data      test NLL, nats  parameters  weights",
        "tiny       VAE     tiny.npz  96.34 +- 0.74   120,344     here",
        "untrained  VAE     tiny.npz  -               -           recipe only",
    ]


def test_list_of_a_preset_without_a_recipe(zoo, capsys):
    for name in ("recipe.toml", "metrics.json"):
        (zoo / "tiny" / name).unlink()
    row = told(capsys, "list").splitlines()[1]
    assert row.split() == ["tiny", "-", "-", "-", "-", "here"]


def test_info(zoo, capsys):
    text = told(capsys, "info", "tiny")
    for line in (
        "  A tiny VAE.",
        "  encoder     MLPEncoder(hidden_units=[4], latent_dim=2)",
        "  NLL, nats per example          96.34 +- 0.74",
        "  active units                   19 of 20",
        "  40 epochs over 4,000 examples (1,600 updates), seed 0,",
        "  in 83 s on 2 cores of Abacus",
        "  with keras_vae 0.1.0, Keras 3.15.1 and jax, 2026-01-02",
        '  model = keras_vae.from_preset("tiny")  # VAE',
    ):
        assert line in text.splitlines()


def test_info_of_a_folder_shows_how_to_load_the_folder(zoo, capsys):
    folder = zoo / "tiny"
    assert f'from_preset("{folder}")' in told(capsys, "info", str(folder))


def test_info_of_a_recipe_has_no_numbers(zoo, capsys):
    text = told(capsys, "info", "untrained")
    assert "A tiny VAE." in text
    assert "Numbers" not in text


def test_info_of_a_preset_without_a_recipe(zoo, capsys):
    for name in ("recipe.toml", "metrics.json"):
        (zoo / "tiny" / name).unlink()
    text = told(capsys, "info", str(zoo / "tiny"))
    assert "  model       VAE()" in text.splitlines()
    assert "  encoder     MLPEncoder(input_shape=[6, 5, 1], latent_dim=2, hidden_units=[4]" in text
    assert "  likelihood  BernoulliLikelihood()" in text.splitlines()


def test_list_of_one_family_or_data_set(zoo, capsys):
    recipe = (zoo / "untrained" / "recipe.toml").read_text()
    recipe = recipe.replace('"VAE"', '"IWAE"').replace("tiny.npz", "other.npz")
    (zoo / "untrained" / "recipe.toml").write_text(recipe)
    for arguments, names in (
        (["--family", "iwae"], ["untrained"]),
        (["--dataset", "tiny"], ["tiny"]),
        (["--family", "VAE", "--dataset", "tiny.npz"], ["tiny"]),
    ):
        rows = told(capsys, "list", *arguments).split("\n\n")[0].splitlines()[1:]
        assert [row.split()[0] for row in rows] == names
    for arguments, option, known in (
        (["--family", "VAF"], "--family VAF", "IWAE, VAE"),
        (["--family", "iwae", "--dataset", "tiny"], "--dataset tiny", "other.npz"),
    ):
        assert main(["list", *arguments]) == 2
        assert re.search(f"error: {option}.*{known}", capsys.readouterr().err)
