import keras
import numpy as np
import pytest

if keras.config.backend() != "tensorflow":
    pytest.skip("runs on TensorFlow", allow_module_level=True)

import tensorflow as tf

import keras_vae
from keras_vae.datasets import Batches
from keras_vae.steps import chunks
from keras_vae.steps import tensorflow_chunks

RNG = np.random.default_rng(0)
X = RNG.uniform(size=(150, 6)).astype("float32")
LABELS = RNG.integers(0, 3, size=150)


def vae(**options):
    keras.utils.set_random_seed(0)
    model = keras_vae.VAE(
        keras_vae.MLPEncoder((6,), 2, (4,)), keras_vae.MLPDecoder((6,), 2, (4,)), seed=0
    )
    model.compile(keras.optimizers.Adam(1e-2), **options)
    return model


def cvae():
    keras.utils.set_random_seed(0)
    model = keras_vae.CVAE(
        keras_vae.MLPEncoder((6,), 2, (4,), condition_shape=(3,)),
        keras_vae.MLPDecoder((6,), 2, (4,), condition_shape=(3,)),
        condition=keras_vae.LabelCondition(3),
        seed=0,
    )
    model.compile("adam")
    return model


def a_hook():
    return [keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)]


CASES = {
    "resident": (vae, lambda: {"x": X, "batch_size": 4}),
    "no short batch": (vae, lambda: {"x": X, "batch_size": 3}),
    "only a short batch": (vae, lambda: {"x": X, "batch_size": 200}),
    "integers": (vae, lambda: {"x": (X > 0.5).astype("uint8"), "batch_size": 4}),
    "double precision": (vae, lambda: {"x": X.astype("float64"), "batch_size": 4}),
    "weighted": (vae, lambda: {"x": X, "batch_size": 4, "sample_weight": LABELS + 0.5}),
    "labels": (cvae, lambda: {"x": X, "y": LABELS, "batch_size": 4}),
    "drawn anew": (vae, lambda: {"x": Batches(X, batch_size=4, binarize=True)}),
}


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
