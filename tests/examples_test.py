"""Every example runs as a user would run it."""

import io
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import exports
import families
import keras
import numpy as np
import pytest
from scripts import run_script
from texts import run_code_of

from keras_vae import recipes

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
RECIPES = sorted((ROOT / "examples" / "recipes").glob("*.toml"))


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_runs(path, tmp_path):
    if "keras_vae.estimators" in path.read_text():
        pytest.importorskip("sklearn")
    made = tmp_path / "made"
    run_script(path, "--smoke", "--output", made, folder=ROOT, output=tmp_path / "printed.txt")
    samples = next(made.glob("samples.*"))  # pictures, or texts
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
@pytest.mark.skipif(keras.config.backend() != "torch", reason="writes ONNX on PyTorch")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["vae", "cvae"])
def test_a_model_is_served_where_keras_vae_is_not(name, tmp_path):
    for package in exports.NEEDED["onnx"]:
        pytest.importorskip(package)
    family = families.BY_NAME[name]
    model = family.compiled()
    model.fit(*family.pairs(), verbose=0)
    path = exports.export(model, tmp_path, "onnx")
    script = str(ROOT / "examples" / "serving" / "serve.py")
    code = (
        "import runpy, sys\n"
        "sys.modules.update(keras_vae=None, keras=None)\n"  # to import them is an error
        f"sys.argv = ['serve.py', {path!r}, '--port', '0']\n"
        f"runpy.run_path({script!r}, run_name='__main__')\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as server:
        try:
            address = server.stdout.readline().split()[-1]
            body = io.BytesIO()
            if name == "vae":
                np.save(body, family.data(5))
            else:
                np.savez(body, **dict(zip(("x", "condition"), family.pairs(5), strict=True)))
            with urllib.request.urlopen(address, body.getvalue(), timeout=60) as answer:
                found = np.load(io.BytesIO(answer.read()))
            with pytest.raises(urllib.error.HTTPError, match="400"):
                urllib.request.urlopen(address, b"nothing", timeout=60)
        finally:
            server.kill()
    expected = model.predict(family.inputs(5), verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, made",
    [
        ("README.md", {"pictures": (16, 28, 28, 1), "digits": (16, 28, 28, 1)}),
        ("docs/models.md", {"pictures": (16, 28, 28, 1), "sevens": (16, 28, 28, 1)}),
        ("docs/quantizers.md", {"digits": (16, 28, 28, 1), "codes": (1000, 7, 7)}),
        ("docs/tables.md", {"of_each_value": (500, 3), "filled": (500, 3), "points": (500, 2)}),
        ("docs/own_families.md", "my_family/config.json"),
        ("docs/presets.md", "my_preset/config.json"),
        ("docs/sequences.md", "my_texts/config.json"),
        ("docs/pictures.md", "code_maps.png"),
        ("docs/codecs.md", {"digits": (100, 28, 28, 1), "again": (100, 28, 28, 1)}),
        ("docs/deploy.md", {"reconstructions": (5, 28, 28, 1)}),
    ],
)
def test_the_code_of_the_texts_runs_as_it_stands(name, made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / name).read_text()
    if "keras_vae.estimators" in text:
        pytest.importorskip("sklearn")
    if "compress" in text:
        pytest.importorskip("constriction")
    if "onnxruntime" in text:
        pytest.importorskip("onnxruntime")
        if keras.config.backend() != "torch":
            pytest.skip("ONNX files are written on PyTorch")
    names = run_code_of(ROOT / name, monkeypatch)
    if isinstance(made, str):
        assert (tmp_path / made).exists()
    else:
        assert {n: names[n].shape for n in made} == made
