import keras
import numpy as np
import pytest

if keras.config.backend() != "tensorflow":
    pytest.skip("runs on TensorFlow", allow_module_level=True)

import tensorflow as tf
from chunk_cases import CASES
from chunk_cases import X
from chunk_cases import a_hook
from chunk_cases import vae

import keras_vae
from keras_vae.datasets import Batches
from keras_vae.steps import chunks
from keras_vae.steps import tensorflow_chunks


@pytest.mark.parametrize("name", CASES)
def test_equals_a_call_for_each_step(name):
    make, options = CASES[name]
    found, expected = make(), make()
    logs = found.fit(**options(), epochs=2, verbose=0).history
    logs_of_each = expected.fit(**options(), epochs=2, verbose=0, callbacks=a_hook()).history
    assert int(found.optimizer.iterations) == int(expected.optimizer.iterations)
    for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert logs == logs_of_each


def test_it_is_how_fit_trains(monkeypatch):
    sizes, original = [], tensorflow_chunks.TensorFlowChunks.next

    def counted(self, iterator):
        chunk = original(self, iterator)
        sizes.append(len(chunk[0]))
        return chunk

    monkeypatch.setattr(tensorflow_chunks.TensorFlowChunks, "next", counted)
    vae().fit(X, batch_size=4, epochs=2, verbose=0)
    assert sizes == [32 * 4, 150 - 32 * 4] * 2
    for model in (vae(run_eagerly=True), vae(steps_per_execution=2)):
        model.fit(X[:8], batch_size=4, verbose=0)
    vae().fit(X[:8], batch_size=4, verbose=0, callbacks=a_hook())
    with tf.distribute.MirroredStrategy(["cpu:0"]).scope():
        assert not tensorflow_chunks.is_possible(vae())
    assert len(sizes) == 4


def test_a_bad_batch_is_named_as_step_by_step():
    found = []
    for callbacks in (None, a_hook()):
        model = vae()
        model.fit(X, batch_size=4, verbose=0, callbacks=callbacks)
        model.optimizer.learning_rate = 1e10
        with pytest.raises(keras_vae.NonFiniteError) as caught:
            model.fit(X, batch_size=4, epochs=2, verbose=0, callbacks=callbacks)
        found.append((caught.value.epoch, caught.value.batch, model.get_weights()))
    assert found[0][:2] == found[1][:2]
    assert 1 < found[0][1] <= 38
    for a, b in zip(found[0][2], found[1][2], strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_bar_counts_steps(capsys):
    vae().fit(X, batch_size=4, verbose=1)
    assert "38/38" in capsys.readouterr().out


def test_data_too_large_for_the_device_are_sent_in_batches(monkeypatch):
    expected = vae().fit(X, batch_size=4, verbose=0).history["loss"]
    monkeypatch.setattr(chunks, "LARGEST_RESIDENT", 10)
    assert tensorflow_chunks.TensorFlowChunks(Batches(X)).resident is None
    assert vae().fit(X, batch_size=4, verbose=0).history["loss"] == expected
