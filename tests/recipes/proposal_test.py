import tomllib

import numpy as np
import pytest

from keras_vae import datasets
from keras_vae.recipes import build_model
from keras_vae.recipes import parse_recipe
from keras_vae.recipes import training_batches
from keras_vae.recipes.proposal import LIKELIHOODS
from keras_vae.recipes.proposal import MODELS
from keras_vae.recipes.proposal import propose

pytestmark = pytest.mark.compiled_once

RNG = np.random.default_rng(0)


def pictures(shape=(16, 16, 3), count=24, labels=False):
    x = np.round(RNG.random((count, *shape)) * 255) / 255
    y = np.arange(count) % 3 if labels else None
    part = datasets.Arrays(x.astype("float32"), y)
    return datasets.Splits("mine", part, part)


def drawings(is_binary=False):
    x = RNG.choice([0.0, 1.0] if is_binary else [0.02, 0.98], (24, 28, 28, 1)).astype("float32")
    part = datasets.Arrays(x)
    return datasets.Splits("mine", part, part)


def tables(*arguments, **choices):
    return tomllib.loads(propose(*arguments, **choices))


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_built_and_takes_a_step(model):
    data = pictures(labels=True)
    recipe = parse_recipe(propose(data, "mine", model=model, latent_dim=3), "mine.toml")
    built = build_model(recipe, data.train.x.shape[1:], seed=0)
    built.compile("adam")
    pair = training_batches(recipe, data, seed=0)[0]
    logs = built.train_on_batch(*pair if isinstance(pair, tuple) else (pair,), return_dict=True)
    assert np.isfinite(logs["loss"])


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_every_likelihood_takes_the_data(likelihood):
    data = drawings() if likelihood == "bernoulli" else pictures()
    recipe = parse_recipe(propose(data, "mine", model="vae", likelihood=likelihood), "mine.toml")
    built = build_model(recipe, data.train.x.shape[1:], seed=0)
    built.compile("adam")
    x = training_batches(recipe, data, seed=0)[0]
    assert np.isfinite(built.train_on_batch(x, return_dict=True)["loss"])


def test_drawings_are_black_and_white_and_drawn_anew():
    found = tables(drawings(), "mine")
    assert "likelihood" not in found
    assert found["data"]["binarize"] == "dynamic"
    assert "binarize" not in tables(drawings(is_binary=True), "mine")["data"]
    assert tables(drawings(), "mine")["model"]["class"] == "VAE"
    assert tables(pictures(), "mine")["likelihood"]["class"] == "GaussianLikelihood"
    assert tables(pictures(), "mine")["model"]["class"] == "VQVAE"


@pytest.mark.parametrize(
    "side, filters", [(8, [32]), (28, [32, 64]), (64, [32, 64, 128]), (999, [32, 64, 128, 256])]
)
def test_networks_halve_down_to_a_small_map(side, filters):
    found = tables(pictures((side, side, 1), count=2), "mine", model="vae")
    assert found["encoder"]["filters"] == filters
    assert found["decoder"]["filters"] == filters[::-1]


def test_small_data_are_seen_more_often():
    few, many = (tables(pictures((8, 8, 1), count=n), "mine")["training"] for n in (50, 5000))
    assert few["epochs"] > 10 * many["epochs"]
    assert few["batch_size"] < many["batch_size"]


def test_what_is_chosen_is_kept():
    found = tables(
        pictures(), "my photos", image_size=(16, 16), latent_dim=7, epochs=2, batch_size=9
    )
    assert found["data"] == {"name": "my photos", "image_size": [16, 16]}
    assert found["encoder"]["latent_dim"] == 7
    assert (found["training"]["epochs"], found["training"]["batch_size"]) == (2, 9)


@pytest.mark.parametrize(
    "choices, message",
    [
        ({"model": "gan"}, "--model must be one of vae"),
        ({"likelihood": "cauchy"}, "--likelihood must be one of bernoulli"),
        ({"model": "cvae"}, "needs labels"),
    ],
)
def test_what_cannot_be_proposed(choices, message):
    with pytest.raises(ValueError, match=message):
        propose(pictures(), "mine", **choices)
