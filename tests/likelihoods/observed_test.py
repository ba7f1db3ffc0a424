import keras
import numpy as np
import pytest
from keras import ops

import keras_vae

X = np.random.default_rng(0).normal(size=(12, 5)).astype("float32")


def model_of(likelihood, family=keras_vae.VAE, **options):
    encoder = keras.Sequential(
        [keras.Input((5,)), keras_vae.ObservedValues(), keras_vae.MLPEncoder((10,), 2, (8,))]
    )
    decoder = keras_vae.MLPDecoder((5,), 2, (8,), num_parameters=2)
    return family(encoder, decoder, likelihood, seed=0, **options)


def with_gaps(x, seed=1):
    return np.where(np.random.default_rng(seed).random(x.shape) < 0.4, np.nan, x)


@pytest.mark.parametrize("family", [keras_vae.VAE, keras_vae.IWAE], ids=lambda f: f.__name__)
def test_trains_on_rows_with_gaps(family):
    likelihood = keras_vae.ObservedLikelihood(keras_vae.PerPixelGaussianLikelihood())
    model = model_of(likelihood, family)
    model.compile(keras.optimizers.Adam(0.01))
    losses = model.fit(with_gaps(X), epochs=10, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert np.isfinite(model.evaluate(with_gaps(X), verbose=0)).all()


def test_without_gaps_it_is_the_likelihood_itself():
    parameters = np.random.default_rng(2).normal(size=(12, 10))
    inner = keras_vae.PerPixelGaussianLikelihood()
    got = keras_vae.ObservedLikelihood(inner)(parameters).log_prob(X)
    expected = inner(parameters).log_prob(X)
    np.testing.assert_allclose(ops.convert_to_numpy(got), ops.convert_to_numpy(expected), 1e-6)


def test_elsewhere_a_gap_stays_an_error():
    model = model_of(keras_vae.PerPixelGaussianLikelihood())
    model.compile()
    with pytest.raises(ValueError, match="not finite"):
        model.fit(with_gaps(X), verbose=0)


@pytest.mark.one_backend
def test_infinity_stays_an_error():
    model = model_of(keras_vae.ObservedLikelihood(keras_vae.PerPixelGaussianLikelihood()))
    x = X.copy()
    x[1, 2] = np.inf
    with pytest.raises(ValueError, match=r"1 values that are not finite.*\(1, 2\)"):
        model.score(x)


@pytest.mark.one_backend
def test_data_are_checked_where_they_are_observed():
    likelihood = keras_vae.ObservedLikelihood(keras_vae.BernoulliLikelihood())
    likelihood.check(np.array([[np.nan, 1.0]]))
    with pytest.raises(ValueError, match="Bernoulli"):
        likelihood.check(np.array([[np.nan, 7.0]]))


def test_a_preset_holds_it(tmp_path):
    model = model_of(keras_vae.ObservedLikelihood(keras_vae.PerPixelGaussianLikelihood()))
    model.save_to_preset(tmp_path)
    loaded = keras_vae.VAE.from_preset(tmp_path)
    np.testing.assert_allclose(loaded.score(with_gaps(X)), model.score(with_gaps(X)), rtol=1e-6)


@pytest.mark.one_backend
def test_gaps_are_valid_whatever_the_range_of_the_data():
    gaussian = keras_vae.GaussianLikelihood(1.0, value_range=(10, 40))
    likelihood = keras_vae.ObservedLikelihood(gaussian)
    assert likelihood.value_range == (10.0, 40.0)
    likelihood.check(np.array([[np.nan, 20.0], [30.0, np.nan]]))
    likelihood.check(np.full((2, 3), np.nan))
    with pytest.raises(ValueError, match=r"values from 20 to 50.* 50 at index \(0, 2\)"):
        likelihood.check(np.array([[20.0, np.nan, 50.0]]))


@pytest.mark.one_backend
def test_the_advice_of_the_likelihood_is_given_of_what_is_observed():
    likelihood = keras_vae.ObservedLikelihood(keras_vae.PerPixelGaussianLikelihood())
    with pytest.warns(UserWarning, match="from 0 to 255, like 8-bit images"):
        likelihood.advise(np.array([[0.0, np.nan, 255.0]]))
    likelihood.advise(np.full((2, 3), np.nan))
