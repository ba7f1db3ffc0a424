import keras
import numpy as np
import pytest

from keras_vae import LaggingInference
from keras_vae import LaggingSequenceVAE
from keras_vae import RecurrentTokenDecoder
from keras_vae import RecurrentTokenEncoder
from keras_vae import SequenceVAE
from keras_vae import evaluation
from keras_vae.callbacks import lagging_inference

pytestmark = pytest.mark.compiled_once

X = np.array([[3, 4, 1, 0], [4, 1, 0, 0], [3, 3, 3, 1], [1, 0, 0, 0]], "int32")


def small(kind):
    sizes = {"units": 8, "embedding_dim": 4}
    return kind(RecurrentTokenEncoder(5, 2, **sizes), RecurrentTokenDecoder(5, 2, **sizes), 4)


def test_ends_the_lagging_once_the_information_stops_rising(monkeypatch):
    measured, lagging = iter([0.5, 0.7, 0.6, 0.9]), []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            lagging.append(float(self.model.is_lagging))

    monkeypatch.setattr(lagging_inference, "mutual_information", lambda *given: next(measured))
    model = small(LaggingSequenceVAE)
    model.compile({"main": keras.optimizers.Adam(), "decoder": keras.optimizers.Adam()})
    callbacks = [LaggingInference(X), Watch()]
    history = model.fit(X, epochs=4, callbacks=callbacks, verbose=0).history
    assert lagging == [1, 1, 0, 0]
    assert history["mutual_information"] == [0.5, 0.7, 0.6, 0.9]


@pytest.mark.one_backend
def test_another_training_is_not_compared_with_the_one_before(monkeypatch):
    monkeypatch.setattr(lagging_inference, "mutual_information", lambda *given: measured.pop())
    callback, measured = LaggingInference(X), []
    for information in (0.7, 0.5):
        measured.append(information)
        model = small(LaggingSequenceVAE)
        model.compile({"main": keras.optimizers.Adam(), "decoder": keras.optimizers.Adam()})
        model.fit(X, callbacks=[callback], verbose=0)
        assert float(model.is_lagging) == 1


def test_measures_what_kl_split_does():
    model = small(LaggingSequenceVAE)
    model.compile({"main": keras.optimizers.Adam(), "decoder": keras.optimizers.Adam()})
    history = model.fit(X, callbacks=[LaggingInference(X)], verbose=0).history
    expected = evaluation.kl_split(model, X).mutual_information
    np.testing.assert_allclose(history["mutual_information"], [expected], rtol=1e-4, atol=1e-6)


def test_a_model_that_does_not_lag():
    model = small(SequenceVAE)
    model.compile("adam")
    with pytest.raises(ValueError, match="needs a model with a lagging encoder"):
        model.fit(X, callbacks=[LaggingInference(X)], verbose=0)
