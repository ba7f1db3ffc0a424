import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_recipe import OF_CODES
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

from keras_vae.recipes import train_recipe
from keras_vae.recipes.cards.usage import loading
from keras_vae.recipes.cards.usage import usage

pytestmark = pytest.mark.one_backend

CHECKOUT = Path(__file__).parents[3]


def test_by_hand(tmp_path):
    assert usage(read_tiny_recipe(tmp_path)).splitlines() == [
        "import keras_vae",
        "",
        'model = keras_vae.from_preset("tiny")  # VAE',
        'data = keras_vae.datasets.load("tiny.npz")',
        "x = keras_vae.datasets.binarize(data.test.x[:100], seed=1)",
        "z = model.encode(x).mean",
        "new = model.sample(16, seed=0)",
        "print(model.log_likelihood(x, num_samples=100, seed=0).mean())  # nats",
    ]


def test_loading_is_the_beginning(tmp_path):
    recipe = read_tiny_recipe(tmp_path)
    lines = usage(recipe, "run").splitlines()
    assert loading(recipe, "run").splitlines() == lines[:5]


def test_texts_that_ask_no_class_import_no_keras():
    code = (
        "import importlib.util, sys\n"
        "for name in ('keras_vae', 'keras_vae.recipes'):\n"  # without running their __init__
        "    spec = importlib.util.find_spec(name)\n"
        "    sys.modules[name] = importlib.util.module_from_spec(spec)\n"
        "from keras_vae.recipes import recipe\n"
        "from keras_vae.recipes.cards import card, numbers, overviews, tolerances, usage\n"
        "tiny = recipe.Recipe('tiny', '', {'name': 'x'}, {'model': {'class': 'VAE'}}, {}, {})\n"
        "assert 'VAE' in usage.loading(tiny)\n"
        "assert numbers.headline({'nll': 1.0}) == '1.00'\n"
        "assert 'keras' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=CHECKOUT)


@pytest.mark.parametrize("binarize", ["dynamic", "fixed"])
def test_it_runs_as_it_stands(tmp_path, monkeypatch, capsys, binarize):
    recipe = read_tiny_recipe(tmp_path, TEXT.replace('"dynamic"', f'"{binarize}"'))
    monkeypatch.chdir(tmp_path)
    train_recipe(recipe, tmp_path / "run", epochs=1, verbose=0)
    capsys.readouterr()
    names = {}
    exec(usage(recipe, "run"), names)
    assert float(capsys.readouterr().out) < 0
    assert set(np.unique(names["x"])) == {0, 1}
    assert names["new"].shape == (16, 6, 5, 1)


def text_of_codes(pairs="", with_prior=True):
    text = OF_CODES if with_prior else OF_CODES.replace(PRIOR, "")
    if pairs:
        text = text.replace("[data]", f'[data]\npairs = "{pairs}"')
        text = text.replace("num_blocks = 1", f"num_blocks = 1\n{LABELS}")
    return text


PRIOR = OF_CODES[OF_CODES.index("[prior]") : OF_CODES.index("[model]")]
LABELS = 'condition = { class = "LabelCondition", num_classes = 10 }'
INDICES = "indices = model.encode_indices(x)"
NEW = "new = model.sample(16, {}seed=0)"


@pytest.mark.parametrize(
    "text, lines",
    [
        (
            text_of_codes(),
            [INDICES, NEW.format(""), "print(model.log_likelihood(x).mean())  # nats"],
        ),
        (
            text_of_codes("prior_labels"),
            [
                INDICES,
                NEW.format("condition=1, "),
                "print(model.log_likelihood(x, condition=y).mean())  # nats",
            ],
        ),
        (
            text_of_codes(with_prior=False),
            [
                INDICES,
                "again = model.reconstruct(x)",
                "print(model.log_likelihood(x).mean())  # nats",
            ],
        ),
    ],
    ids=["prior", "prior given labels", "no prior"],
)
def test_of_codes_by_hand(tmp_path, text, lines):
    found = usage(read_tiny_recipe(tmp_path, text)).splitlines()
    assert found[-3:] == lines
    assert len([line for line in found if line]) == 7
    assert ("data.test.y[:100]" in found[-4]) == ("condition=y" in found[-1])


NETWORKS = TEXT[TEXT.index("[encoder]") : TEXT.index("[training]")]
PIXELS = '[model]\nclass = "PixelCNN"\nnum_embeddings = 2\n\n'


@pytest.mark.parametrize(
    "text, lines",
    [
        (TEXT.replace('"VAE"', '"HierarchicalVAE"'), ["z = model.encode(x)[0].mean", "new =", ""]),
        (
            TEXT.replace('"VAE"', '"Autoencoder"'),
            ["z = model.encode(x)", "again =", "print(model.evaluate(x, "],
        ),
        (TEXT.replace(NETWORKS, PIXELS), ["new =", "print(model.log_likelihood(x).mean())"]),
    ],
    ids=["levels", "neither prior nor likelihood", "elements"],
)
def test_only_what_a_family_can_do_is_shown(tmp_path, text, lines):
    found = usage(read_tiny_recipe(tmp_path, text)).splitlines()[5:]
    assert len(found) == len(lines)
    assert all(line.startswith(start) for line, start in zip(found, lines, strict=True))
