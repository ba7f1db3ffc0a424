import keras
import numpy as np
import pytest

import keras_vae
from keras_vae.models.base.callback_list import CallbackList

pytestmark = pytest.mark.compiled_once

X = (np.random.default_rng(0).uniform(size=(40, 6)) > 0.5).astype("float32")


def model():
    vae = keras_vae.VAE(keras_vae.MLPEncoder((6,), 2, (4,)), keras_vae.MLPDecoder((6,), 2, (4,)))
    vae.compile("adam")
    return vae


class AtEachBatch(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_begin(self, batch, logs=None):
        self.seen.append(("begin", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(("end", batch))
        assert np.isfinite(logs["loss"])


class ByItsOldName(keras.callbacks.Callback):
    batches = 0

    def on_batch_end(self, batch, logs=None):
        self.batches += 1


def test_hooks_of_batches_are_called_at_each():
    of_class, old, lines = AtEachBatch(), ByItsOldName(), []
    of_function = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: lines.append(batch)
    )
    model().fit(X, batch_size=10, verbose=0, callbacks=[of_class, old, of_function])
    assert of_class.seen == [(k, i) for i in range(4) for k in ("begin", "end")]
    assert old.batches == 4
    assert lines == [0, 1, 2, 3]


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_where_none_listens_the_logs_of_an_epoch_are_as_ever(verbose, capsys):
    history = model().fit(X, batch_size=10, epochs=2, verbose=verbose).history
    assert len(history["loss"]) == 2
    assert np.isfinite(history["loss"]).all()
    printed = capsys.readouterr().out
    assert ("Epoch 2/2" in printed) == (verbose > 0)
    assert ("elbo" in printed) == (verbose > 0)


def test_keras_list_serves_one_model_after_another():
    first, second, given = model(), model(), keras.callbacks.CallbackList(add_history=True)
    lengths = []
    for each in (first, second):
        given.set_model(each)
        each.fit(X, verbose=0, callbacks=given)
        lengths.append(len(given.callbacks))
        each.kl_weight = 0.5  # which the other's training has nothing to do with
    assert lengths[0] == lengths[1]


def test_it_knows_whether_a_callback_listens():
    options = {"model": model(), "steps": 4, "epochs": 1, "verbose": 1}
    stop = keras.callbacks.EarlyStopping("loss")
    assert not CallbackList([stop], **options).listens
    assert not CallbackList(None, **options).listens
    assert CallbackList([stop, AtEachBatch()], **options).listens
    assert CallbackList([ByItsOldName()], **options).listens


@pytest.mark.parametrize("save_freq, listens", [("epoch", False), (2, True)])
def test_callbacks_that_save_listen_where_they_save_after_batches(save_freq, listens, tmp_path):
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "a.keras", save_freq=save_freq)
    backup = keras.callbacks.BackupAndRestore(
        tmp_path / "backup", save_freq=save_freq, delete_checkpoint=False
    )
    for callback in (checkpoint, backup):
        options = {"model": model(), "steps": 4, "epochs": 1, "verbose": 0}
        assert CallbackList([callback], **options).listens == listens
    model().fit(X, batch_size=8, epochs=2, verbose=0, callbacks=[checkpoint, backup])
    assert (tmp_path / "a.keras").exists()
    assert any((tmp_path / "backup").iterdir())


def test_stopping_within_an_epoch_works():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    seen = ByItsOldName()
    model().fit(X, batch_size=10, epochs=3, verbose=0, callbacks=[Stop(), seen])
    assert seen.batches == 2
