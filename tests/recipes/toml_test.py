import tomllib
from pathlib import Path

import pytest

from keras_vae.recipes.toml import changed
from keras_vae.recipes.toml import to_toml

pytestmark = pytest.mark.one_backend

ZOO = Path(__file__).parents[2] / "zoo"


@pytest.mark.parametrize("path", sorted(ZOO.glob("*/recipe.toml")), ids=lambda p: p.parent.name)
def test_every_recipe_of_the_zoo_comes_back(path):
    tables = tomllib.loads(path.read_text())
    assert tomllib.loads(to_toml(tables)) == tables


def test_every_kind_of_value_comes_back():
    tables = {
        "text": 'a "quoted" back\\slash,\nü and \x7f',
        "truth": True,
        "list": [1, 2.5, -1e-9, "a"],
        "none": [],
        "deep": {"class": "A", "inner": {"x": {"y": [1, {"z": False}]}}},
        "tables": [{"a": 1}, {"b": "c"}],
        "kinds of columns": {"*": "real", "hours per week": "count", 'a "b"': {"ü.x": 1}, "": 2},
    }
    assert tomllib.loads(to_toml(tables)) == tables


TEXT = """# said by hand
name = "a"
[model]
class = "VAE"
[[encoders]]
filters = [4, 8]
"""


@pytest.mark.parametrize(
    "change, place, value",
    [
        ("model.kl_weight=4", ("model", "kl_weight"), 4),
        ("model.class=IWAE", ("model", "class"), "IWAE"),
        ('model.class="IWAE"', ("model", "class"), "IWAE"),
        (
            "model.kl_weight={class='LinearAnnealing'}",
            ("model", "kl_weight"),
            {"class": "LinearAnnealing"},
        ),
        ("training.epochs = 3", ("training", "epochs"), 3),
        ("encoders.0.filters=[2]", ("encoders", 0, "filters"), [2]),
        ("encoders.0.filters.1=6", ("encoders", 0, "filters", 1), 6),
        ("name=a=b", ("name",), "a=b"),
    ],
)
def test_a_value_is_set(change, place, value):
    found = tomllib.loads(changed(TEXT, [change]))
    for key in place:
        found = found[key]
    assert found == value


def test_without_changes_the_text_stays_as_it_is():
    assert changed(TEXT, []) == TEXT


def test_changes_follow_one_another():
    text = changed(TEXT, ["model.a=1", "model.a=2"])
    assert tomllib.loads(text)["model"] == {"class": "VAE", "a": 2}


@pytest.mark.parametrize(
    "wrong", ["model.kl_weight", "=4", "name.x=1", "encoders.1.a=2", "encoders.b=2"]
)
def test_what_leads_nowhere(wrong):
    with pytest.raises(ValueError, match="--set"):
        changed(TEXT, [wrong])
