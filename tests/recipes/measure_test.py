import datetime
import math

import keras
import numpy as np
import pytest
from tiny_recipe import SHAPE
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

from keras_vae.recipes import build_model
from keras_vae.recipes import environment
from keras_vae.recipes import measure

pytestmark = pytest.mark.one_backend

X = np.random.default_rng(0).integers(0, 2, (9, *SHAPE)).astype("float32")


@pytest.fixture
def model(tmp_path):
    return build_model(read_tiny_recipe(tmp_path), SHAPE, seed=0)


def test_the_numbers_are_those_of_their_sources(model):
    numbers = measure(model, (X,), {"num_samples": 7, "seed": 5}, verbose=0)
    nll = -model.log_likelihood(X, num_samples=7, seed=5)
    assert numbers["nll"] == nll.mean()
    assert numbers["nll_standard_error"] == pytest.approx(np.sqrt(nll.var(ddof=1) / 9))
    assert numbers["nll_bits_per_dim"] == pytest.approx(nll.mean() / math.log(2) / 30)
    assert numbers["elbo"] == pytest.approx(-numbers["reconstruction"] - numbers["kl"], rel=1e-5)
    assert (numbers["nll_num_samples"], numbers["num_examples"]) == (7, 9)
    means = keras.ops.convert_to_numpy(model.encode(X).mean)
    assert numbers["active_units"] == np.sum(means.var(axis=0) > 0.01)
    assert numbers["latent_dim"] == 2


@pytest.mark.parametrize("likelihood, has_bits", [("Gaussian", False), ("Bernoulli", True)])
def test_a_density_has_no_bits(tmp_path, likelihood, has_bits):
    text = TEXT.replace("[model]", f'[likelihood]\nclass = "{likelihood}Likelihood"\n\n[model]')
    model = build_model(read_tiny_recipe(tmp_path, text), SHAPE, seed=0)
    numbers = measure(model, (X,), {"num_samples": 2}, verbose=0)
    assert "nll" in numbers
    assert ("nll_bits_per_dim" in numbers) == has_bits


def test_measured_twice_is_the_same(model):
    first, second = (measure(model, (X,), {"num_samples": 5}, verbose=0) for _ in range(2))
    assert first | {"nll_seconds": 0} == second | {"nll_seconds": 0}


def test_the_environment_is_this_one():
    found = environment()
    assert found["backend"] == keras.config.backend()
    assert found["backend_version"] == __import__(found["backend"]).__version__
    assert found["keras"] == keras.__version__
    assert datetime.date.fromisoformat(found["date"]) <= datetime.datetime.now(datetime.UTC).date()
    assert found["cores"] >= 1
    assert found["processor"]
