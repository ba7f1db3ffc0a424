import pytest
from example_metrics import METRICS
from tiny_recipe import read_tiny_recipe

from keras_vae.recipes import overview
from keras_vae.recipes import short_overview

pytestmark = pytest.mark.one_backend


@pytest.fixture
def entries(tmp_path):
    recipe = read_tiny_recipe(tmp_path)
    return [(recipe, METRICS), (recipe, None)]


def test_overview(entries):
    _, _, trained, untrained = overview(entries).splitlines()
    assert trained == (
        "| [tiny](tiny/README.md) | VAE | tiny.npz | 306 | 21.13 ± 0.51 | 1.016 "
        "| 12.5 nats (Nobody 1999) |"
    )
    assert untrained == (
        "| [tiny](tiny/recipe.toml) | VAE | tiny.npz |  | not trained yet |  "
        "| 12.5 nats (Nobody 1999) |"
    )


def test_the_short_one_has_trained_presets_only(entries):
    assert short_overview(entries).splitlines() == [
        "| preset | family | test NLL, nats | published (by whom: on the card) |",
        "| --- | --- | ---: | ---: |",
        "| [tiny](zoo/tiny/README.md) | VAE | 21.13 ± 0.51 | 12.5 nats |",
    ]
