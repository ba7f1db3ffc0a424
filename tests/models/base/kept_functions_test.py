import copy
import pickle

import keras
import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae.distributions import DiagonalGaussian

X = (np.random.default_rng(0).uniform(size=(4, 6)) < 0.5).astype("float32")


@pytest.fixture
def model():
    networks = keras_vae.MLPEncoder((6,), 2, (8,)), keras_vae.MLPDecoder((6,), 2, (8,))
    return keras_vae.VAE(*networks, seed=0)


@pytest.fixture
def compilations(model, monkeypatch):
    """The functions that the model has compiled."""
    compiled, jitted = [], model.jitted

    def spy(function):
        compiled.append(function)
        return jitted(function)

    monkeypatch.setattr(model, "jitted", spy)
    return compiled


def score(model, **options):
    return model.log_likelihood(X, **{"num_samples": 10, "seed": 0, **options})


def test_compiled_once_for_each_kind_of_estimate(model, compilations):
    score(model)
    score(model)
    assert len(compilations) == 1
    score(model, proposal="prior")
    score(model, num_samples=20)
    assert len(compilations) == 3


def test_sees_new_values_of_weights(model, compilations):
    before = score(model)
    for variable in model.decoder.trainable_variables:
        variable.assign(variable + 0.5)
    fresh = keras.models.clone_model(model)
    fresh.set_weights(model.get_weights())
    assert np.abs(score(model) - before).min() > 0.01
    np.testing.assert_allclose(score(model), score(fresh), rtol=1e-6)
    assert len(compilations) == 1


def test_sees_the_number_of_updates(model, compilations):
    model.compile("sgd")
    weight = keras_vae.schedules.LinearAnnealing(4)

    def scheduled():
        run = model.jitted_once("weight", lambda x: ops.zeros_like(x) + model.at_this_step(weight))
        return np.unique(run(X))

    seen = [scheduled()]
    for _ in range(3):
        model.train_on_batch(X)
        seen.append(scheduled())
    np.testing.assert_allclose(np.ravel(seen), [0, 0.25, 0.5, 0.75])
    assert len(compilations) == 1


def another_likelihood(model):
    model._tracker.unlock()  # as a model does that is given a prior of its codes
    model.likelihood = keras_vae.GaussianLikelihood(0.5)
    model.likelihood.build((None, 6))
    model._tracker.lock()


def another_policy(model):
    model.decoder.layers[-1].dtype_policy = keras.DTypePolicy("mixed_bfloat16")


def another_weight_of_a_term(model):
    model.kl_weight = 0.5


@pytest.mark.parametrize(
    "change",
    [lambda model: model.compile("sgd"), another_likelihood, another_policy,
     another_weight_of_a_term],
)  # fmt: skip
def test_compiled_anew_where_the_model_has_changed(model, compilations, change):
    score(model)
    change(model)
    score(model)
    assert len(compilations) == 2


def test_another_likelihood_counts(model):
    before = score(model)
    another_likelihood(model)
    assert np.abs(score(model) - before).min() > 0.01


@pytest.mark.parametrize("measured", [score, lambda model: model.evaluate(X, verbose=0)])
def test_another_sigma_counts(measured):
    def gaussian(sigma):
        keras.utils.set_random_seed(0)
        networks = keras_vae.MLPEncoder((6,), 2, (8,)), keras_vae.MLPDecoder((6,), 2, (8,))
        return keras_vae.VAE(*networks, keras_vae.GaussianLikelihood(sigma), seed=0)

    model = gaussian(1.0)
    before = measured(model)
    model.likelihood.sigma = 0.1
    np.testing.assert_allclose(measured(model), measured(gaussian(0.1)), rtol=1e-5)
    assert np.abs(np.subtract(measured(model), before)).max() > 1


def test_a_method_replaced_on_the_model_counts(model):
    before = score(model), model.evaluate(X, verbose=0)
    model.prior_given = lambda c=None: DiagonalGaussian(np.ones((1, 2), "float32"), 1.0)
    after = score(model), model.evaluate(X, verbose=0)
    for values, others in zip(before, after, strict=True):
        assert np.abs(np.subtract(values, others)).max() > 0.01


def test_samples_are_as_many_as_asked_for_whatever_is_drawn_at_once(model):
    assert len(model.sample(10)) == 10
    model.sample_batch_size = 256
    assert len(model.sample(300)) == 300


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_no_part_of_a_copy(model, copied):
    expected = score(model)
    other = copied(model)
    np.testing.assert_array_equal(score(other), expected)
    for variable in other.variables:
        if "kernel" in variable.path:
            variable.assign(0 * variable)
    assert np.abs(score(other) - expected).max() > 0.01
    np.testing.assert_array_equal(score(model), expected)


def test_few_are_kept(model):
    for i in range(40):
        model.jitted_once(i, np.square)
    assert len(model._kept_functions._functions) <= 16
