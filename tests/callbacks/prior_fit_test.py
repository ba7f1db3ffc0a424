import keras
import numpy as np
import pytest

import keras_vae
from keras_vae import PriorFit
from keras_vae.evaluation.aggregate_posterior import draw_posteriors

pytestmark = pytest.mark.compiled_once

X = np.random.default_rng(0).normal(size=(40, 6)).astype("float32")


def small(prior=None):
    networks = keras_vae.MLPEncoder((6,), 2, (8,)), keras_vae.MLPDecoder((6,), 2, (8,))
    model = keras_vae.VAE(*networks, keras_vae.GaussianLikelihood(), prior=prior, seed=0)
    model.compile("adam")
    return model


def weights(prior):
    return [keras.ops.convert_to_numpy(w) for w in prior.weights]


def test_the_prior_is_fitted_once_to_what_the_latents_are_then():
    class Watch(keras.callbacks.Callback):
        before, after = {}, {}

    class Before(Watch):
        def on_epoch_end(self, epoch, logs=None):
            self.before[epoch] = weights(self.model.prior)
            draws = draw_posteriors(self.model, X, num_samples=1, seed=0)
            again = keras_vae.GaussianMixture(2)
            again.fit(draws.z[:, 0], seed=0)
            self.before["expected", epoch] = weights(again)

    class After(Watch):
        def on_epoch_end(self, epoch, logs=None):
            self.after[epoch] = weights(self.model.prior)

    model = small(keras_vae.GaussianMixture(2))
    callbacks = [Before(), PriorFit(X, epoch=2, num_starts=1), After()]
    model.fit(X, epochs=3, callbacks=callbacks, verbose=0)
    for epoch, is_fitted in ((0, False), (1, True), (2, False)):
        expected = Watch.before["expected", epoch] if is_fitted else Watch.before[epoch]
        for value, other in zip(Watch.after[epoch], expected, strict=True):
            np.testing.assert_allclose(value, other, rtol=1e-4, atol=1e-5)
    # And it goes on learning from there.
    for value, other in zip(Watch.before[2], Watch.after[1], strict=True):
        assert np.abs(value - other).max() > 0
        np.testing.assert_allclose(value, other, atol=0.1)


def test_of_several_starts_the_most_probable_is_taken(monkeypatch):
    model = small(keras_vae.GaussianMixture(2))
    fitted = iter([-3.0, -1.0, -2.0])

    def fit(z, seed):
        model.prior.means.assign(np.full((2, 2), seed, "float32"))
        return [next(fitted)]

    monkeypatch.setattr(model.prior, "fit", fit)
    callback = PriorFit(X, epoch=1)
    callback.set_model(model)
    callback.on_epoch_end(0)
    np.testing.assert_array_equal(weights(model.prior)[1], np.ones((2, 2)))


def test_what_cannot_be_fitted():
    with pytest.raises(ValueError, match=r"prior that can be fitted.*StandardNormal"):
        small().fit(X, callbacks=[PriorFit(X, epoch=1)], verbose=0)
    with pytest.raises(ValueError, match="`epoch` must be"):
        PriorFit(X, epoch=0)
