import pytest
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe
from tiny_recipe import write_tiny_recipe

from keras_vae.recipes import read_recipe

pytestmark = pytest.mark.one_backend


def test_the_tables_by_hand(tmp_path):
    recipe = read_tiny_recipe(tmp_path)
    assert recipe.name == "tiny"
    assert recipe.text == TEXT
    assert recipe.data == {"name": "tiny.npz", "binarize": "dynamic"}
    assert recipe.parts["encoder"] == {"class": "MLPEncoder", "hidden_units": [4], "latent_dim": 2}
    assert recipe.training == {"epochs": 4, "batch_size": 8, "learning_rate": 0.01}
    assert recipe.published == [{"nll": 12.5, "source": "Nobody 1999", "protocol": "made up"}]
    assert recipe.parts["likelihood"] == {"class": "BernoulliLikelihood"}  # where it is left out
    assert recipe.attribution == ""
    assert recipe.pictures == {}


def test_the_name_is_the_folder_or_the_file(tmp_path, monkeypatch):
    path = write_tiny_recipe(tmp_path)
    other = path.rename(path.with_name("other.toml"))
    assert read_recipe(other).name == "other"
    other.rename(path)
    monkeypatch.chdir(path.parent)
    assert read_recipe("recipe.toml").name == "tiny"


@pytest.mark.parametrize("binarize, is_dynamic", [("dynamic", True), ("fixed", False)])
def test_is_dynamic(tmp_path, binarize, is_dynamic):
    recipe = read_tiny_recipe(tmp_path, TEXT.replace('"dynamic"', f'"{binarize}"'))
    assert recipe.is_dynamic is is_dynamic


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("summary", "sumary", "unknown keys \\['sumary'\\], missing keys \\['summary'\\]"),
        ("[encoder]", "[encodr]", "unknown keys \\['encodr'\\]"),
        ("binarize", "binarise", "\\[data\\] unknown keys \\['binarise'\\].*Known keys: binarize"),
        ("learning_rate", "lr", "\\[training\\] unknown keys \\['lr'\\]"),
        ("epochs = 4", "", "\\[training\\] .*missing keys \\['epochs'\\]"),
        ("epochs = 4", "epochs = 0", "epochs .*at least 1. Received: 0"),
        ("epochs = 4", "epochs = '4'", "epochs .*at least 1. Received: '4'"),
        ('name = "tiny.npz"', "", "\\[data\\] .*missing keys \\['name'\\]"),
        ("nll = 12.5", "nlll = 12.5", "\\[\\[published\\]\\] unknown keys \\['nlll'\\]"),
        ('source = "Nobody 1999"', "", "\\[\\[published\\]\\] .*missing keys \\['source'\\]"),
        ('limits = "None', 'pictures = 3 \nlimits = "None', "`pictures` must be a table"),
        ("[data]", "[pictures]\noriginals = 0\n[data]", "originals .*at least 1. Received: 0"),
        ("summary =", "device = 'tpu'\nsummary =", '`device`.*"cpu" or "gpu"'),
        ("summary =", "precision = 'bfloat16'\nsummary =", '"float32", "mixed_bfloat16" or "mixed'),
        ("summary =", "weights_dtype = 'int8'\nsummary =", '`weights_dtype`.*or "float16"'),
        ("[data]", "[data", "cannot be read: .*line"),
        ("summary =", "name = 'x'\nsummary =", "unknown keys \\['name'\\]"),
    ],
)
def test_what_is_misspelt_is_named(tmp_path, old, new, message):
    path = write_tiny_recipe(tmp_path, TEXT.replace(old, new, 1))
    with pytest.raises(ValueError, match=message) as error:
        read_recipe(path)
    assert str(path) in str(error.value)


def test_a_file_that_is_not_text(tmp_path):
    (tmp_path / "recipe.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"recipe.toml cannot be read"):
        read_recipe(tmp_path / "recipe.toml")
    with pytest.raises(ValueError, match=r"missing.toml.*No such file"):
        read_recipe(tmp_path / "missing.toml")
