from pathlib import Path

import pytest

from keras_vae import presets
from keras_vae.presets import finding

pytestmark = pytest.mark.one_backend


@pytest.fixture
def zoos(tmp_path, monkeypatch):
    """Two zoos: `vae_a` trained, in both; `vae_b` trained, in the second; `vae_c` a recipe."""
    monkeypatch.chdir(tmp_path)
    first, second = tmp_path / "zoo", tmp_path / "package" / "zoo"
    for zoo, name, files in (
        (first, "vae_a", ("config.json", "model.safetensors", "recipe.toml")),
        (second, "vae_a", ("config.json", "model.safetensors", "recipe.toml")),
        (second, "vae_b", ("config.json", "model.safetensors")),
        (second, "vae_c", ("recipe.toml",)),
    ):
        (zoo / name).mkdir(parents=True)
        for file in files:
            (zoo / name / file).touch()
    monkeypatch.setattr(finding, "_ZOOS", (first, second))
    return first, second


def test_names(zoos):
    assert presets.names() == ["vae_a", "vae_b"]
    assert presets.recipe_names() == ["vae_a", "vae_c"]


def test_the_checkout_comes_before_the_package(zoos):
    first, second = zoos
    assert presets.find("vae_a") == first / "vae_a"
    assert presets.find("vae_b") == second / "vae_b"
    assert presets.find_recipe("vae_c") == second / "vae_c" / "recipe.toml"


def test_a_folder_is_a_preset_and_a_name_comes_first(zoos, tmp_path):
    for name in ("my_run", "vae_b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").touch()
    assert presets.find("my_run") == Path("my_run")
    assert presets.find(tmp_path / "my_run") == tmp_path / "my_run"
    assert presets.find("vae_b") == zoos[1] / "vae_b"
    assert presets.find("./vae_b") == Path("vae_b")


def test_a_recipe_is_a_name_a_folder_or_a_file(zoos, tmp_path):
    (tmp_path / "mine.toml").touch()
    assert presets.find_recipe(tmp_path / "mine.toml") == tmp_path / "mine.toml"
    assert presets.find_recipe(zoos[0] / "vae_a") == zoos[0] / "vae_a" / "recipe.toml"


@pytest.mark.parametrize(
    "name, message",
    [
        ("vae_aa", "There is no preset 'vae_aa', .* Did you mean 'vae_a'\\? Known names: vae_a"),
        ("nothing_like_it", "no preset 'nothing_like_it', neither by name nor as a folder. Known"),
        ("vae_c", "no weights here.*`keras-vae train vae_c`"),
        (".", "The folder . holds no config.json"),
    ],
)
def test_unknown_presets(zoos, name, message):
    with pytest.raises(ValueError, match=message):
        presets.find(name)


@pytest.mark.parametrize(
    "name, message",
    [
        ("vae_b", "There is no preset 'vae_b'"),
        ("missing.toml", r"There is no recipe file missing\.toml\."),
        (".", r"holds no recipe\.toml"),
    ],
)
def test_unknown_recipes(zoos, name, message):
    with pytest.raises(ValueError, match=message):
        presets.find_recipe(name)


def test_what_is_described_need_not_have_weights(zoos, tmp_path):
    first, second = zoos
    assert presets.describe("vae_a") == first / "vae_a"
    assert presets.describe("vae_c") == second / "vae_c"
    assert presets.describe(second / "vae_b") == second / "vae_b"
    with pytest.raises(ValueError, match="There is no preset 'vae_d'"):
        presets.describe("vae_d")


def test_what_is_here(zoos):
    assert presets.is_here("vae_a")
    assert not presets.is_here("vae_c")
    (zoos[1] / "vae_b" / "model.safetensors").unlink()
    assert not presets.is_here("vae_b")
    assert presets.find("vae_b") == zoos[1] / "vae_b"  # which reading then says is not whole


def test_the_first_index_counts(zoos):
    assert presets.entries() == {}
    for zoo in zoos:
        (zoo / "index.json").write_text('{"format": 1, "presets": {}}')
    assert presets.entries() == {}


def test_every_preset_of_this_checkout_is_found():
    for name in presets.names():
        assert (presets.find(name) / "config.json").is_file()
    assert "vae_mnist_mini" in presets.recipe_names()


@pytest.mark.parametrize("name", [None, 3, "", b"vae_a"])
@pytest.mark.parametrize(
    "find", [presets.find, presets.describe, presets.mend, presets.find_recipe]
)
def test_what_is_no_name(zoos, find, name):
    with pytest.raises(ValueError, match=r"`name_or_(folder|path)` must be the name of a preset"):
        find(name)
