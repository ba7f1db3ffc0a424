import keras
import numpy as np
import pytest
from families import BY_NAME
from families import VECTOR
from families import mlp
from keras import ops

from keras_vae import Autoencoder
from keras_vae import GaussianLikelihood

if keras.config.backend() != "torch":
    pytest.skip("runs on torch", allow_module_level=True)

import torch

X = np.random.default_rng(0).normal(size=(8, *VECTOR)).astype("float32")


def autoencoder():
    model = Autoencoder(*mlp(VECTOR), GaussianLikelihood(), seed=0)
    model.compile(keras.optimizers.SGD(0.1))
    return model


def test_gradients_are_not_kept_in_grad():
    # There they would add up, and the cost of one group of weights reach another.
    model = autoencoder()
    model.train_on_batch(X)
    assert all(v.value.grad is None for v in model.trainable_variables)


def test_a_gradient_left_by_the_user_changes_nothing():
    found = []
    for spoil in (False, True):
        keras.utils.set_random_seed(0)
        model = autoencoder()
        if spoil:
            torch.sum(model(X)).backward()
        model.train_on_batch(X)
        found.append(model.get_weights())
    assert all(map(np.array_equal, *found))


def test_evaluation_builds_no_graph():
    model = autoencoder()
    seen = []
    terms = model.terms
    model.terms = lambda *args, **kwargs: seen.append(terms(*args, **kwargs)) or seen[-1]
    model.evaluate(X, verbose=0)
    assert [v.requires_grad for t in seen for v in t.values()] == [False]


def test_a_jitted_function_builds_no_graph_and_its_noise_advances():
    model, seen = BY_NAME["vae"].model(), []

    def draw(x):
        seen.append(model.encode(x).sample(model.noise.stream(training=False)))
        return seen[-1]

    run, x = model.jitted(draw), BY_NAME["vae"].data()
    first, second = run(x), run(x)
    assert not any(z.requires_grad for z in seen)
    assert isinstance(first, np.ndarray)
    assert np.abs(first - second).max() > 1e-3
    model.noise.reset_evaluation()
    np.testing.assert_array_equal(run(x), first)


def test_the_weights_stay_leaves_that_require_gradients():
    model = autoencoder()
    model.fit(X, epochs=2, verbose=0)
    for variable in model.trainable_variables:
        assert variable.value.is_leaf
        assert variable.value.requires_grad
    assert ops.convert_to_numpy(model.optimizer.iterations) == 2
