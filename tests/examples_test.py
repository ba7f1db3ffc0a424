"""Every example runs as a user would run it."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_vae import recipes

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
RECIPES = sorted((ROOT / "examples" / "recipes").glob("*.toml"))


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_runs(path, tmp_path):
    command = [sys.executable, str(path), "--smoke", "--output", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr[-2000:]
    samples = next(tmp_path.glob("samples.*"))  # pictures, or texts
    assert samples.stat().st_size > (1000 if samples.suffix == ".png" else 10)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_fits_on_a_few_pages(path):
    assert len(path.read_text().splitlines()) <= 150


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_recipes_train(path):
    recipe = recipes.read_recipe(path)
    x = np.random.default_rng(0).integers(0, 2, (8, 28, 28, 1)).astype("float32")
    model = recipes.build_model(recipe, x.shape[1:], seed=0)
    model.compile(recipes.build_optimizer(recipe.training, num_updates=10))
    before = model.get_weights()
    assert np.isfinite(model.train_on_batch(x, return_dict=True)["loss"])
    assert not all(map(np.array_equal, before, model.get_weights()))


def test_a_variant_is_a_line():
    lines = [set(path.read_text().splitlines()) for path in RECIPES]
    same = set.intersection(*lines)
    assert all(len(own - same) <= 4 for own in lines)  # its summary, its data, and what it is


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, made",
    [
        ("README.md", {"pictures": (16, 28, 28, 1), "digits": (16, 28, 28, 1)}),
        ("docs/models.md", {"pictures": (16, 28, 28, 1), "sevens": (16, 28, 28, 1)}),
        ("docs/quantizers.md", {"digits": (16, 28, 28, 1), "codes": (1000, 7, 7)}),
        ("docs/own_families.md", "my_family/config.json"),
        ("docs/presets.md", "my_preset/config.json"),
        ("docs/sequences.md", "my_texts/config.json"),
        ("docs/pictures.md", "code_maps.png"),
    ],
)
def test_the_code_of_the_texts_runs_as_it_stands(name, made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / name).read_text()
    names = {}
    for block in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        quick = re.sub(r"epochs=\d+", "epochs=1", block)
        exec(re.sub(r"num_samples=\d+", "num_samples=2", quick), names)
    if isinstance(made, str):
        assert (tmp_path / made).exists()
    else:
        assert {n: names[n].shape for n in made} == made
