import keras
import numpy as np
import pytest

if keras.config.backend() != "jax":
    pytest.skip("runs on JAX", allow_module_level=True)

from chunk_cases import CASES
from chunk_cases import RNG
from chunk_cases import X
from chunk_cases import a_hook
from chunk_cases import vae

import keras_vae
from keras_vae.datasets import Batches
from keras_vae.steps import chunks
from keras_vae.steps import jax_chunks


@pytest.fixture(params=[True, False], ids=["resident", "sent"])
def resides(request, monkeypatch):
    """Whether the data lie on the device as a whole, as they do on one that is no processor."""
    monkeypatch.setattr(jax_chunks.JAXChunks, "is_worth_residing", lambda self: request.param)
    return request.param


@pytest.mark.parametrize("name", CASES)
def test_equals_a_call_for_each_step(name, resides):
    make, options = CASES[name]
    found, expected = make(), make()
    logs = found.fit(**options(), epochs=2, verbose=0).history
    logs_of_each = expected.fit(**options(), epochs=2, verbose=0, callbacks=a_hook()).history
    assert int(found.optimizer.iterations) == int(expected.optimizer.iterations)
    for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    for key in logs_of_each:
        np.testing.assert_allclose(logs[key], logs_of_each[key], rtol=1e-6)


def test_it_is_how_fit_trains(monkeypatch, resides):
    sizes, original = [], jax_chunks.run

    def run(*args):
        sizes.append(keras.tree.flatten(args[-1])[0].shape[:2])
        return original(*args)

    monkeypatch.setattr(jax_chunks, "run", run)
    vae().fit(X, batch_size=4, epochs=3, verbose=0)
    # Traced once, and once more for the short batch.
    assert sizes == [(32, 4), (1, 2)]
    for model in (vae(jit_compile=False), vae(run_eagerly=True), vae(steps_per_execution=2)):
        model.fit(X[:8], batch_size=4, verbose=0)
    vae().fit(X[:8], batch_size=4, verbose=0, callbacks=a_hook())
    assert len(sizes) == 2


def test_convolutions_are_called_step_by_step():
    x = RNG.uniform(size=(8, 8, 8, 1)).astype("float32")
    model = keras_vae.VAE(
        keras_vae.ConvEncoder((8, 8, 1), 2, (4,)), keras_vae.ConvDecoder((8, 8, 1), 2, (4,))
    )
    model.build((None, 8, 8, 1))
    assert not jax_chunks.is_worth_it(model)
    assert jax_chunks.is_worth_it(vae())
    dense = keras_vae.VAE(  # whose decoder has a bias of the shape of a picture
        keras_vae.MLPEncoder((8, 8, 1), 2, (4,)), keras_vae.MLPDecoder((8, 8, 1), 2, (4,))
    )
    dense.build((None, 8, 8, 1))
    assert jax_chunks.is_worth_it(dense)
    model.compile("adam")
    model.fit(x, batch_size=4, verbose=0)


def test_a_bad_batch_is_named_and_leaves_the_weights():
    model = vae()
    model.fit(X, batch_size=4, verbose=0)
    before = model.get_weights()
    model.optimizer.learning_rate = 1e10
    with pytest.raises(keras_vae.NonFiniteError) as caught:
        model.fit(X, batch_size=4, epochs=2, verbose=0)
    assert caught.value.epoch == 1
    assert 1 < caught.value.batch <= 38
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_the_bar_counts_steps(capsys):
    vae().fit(X, batch_size=4, verbose=1)
    assert "38/38" in capsys.readouterr().out


def test_data_lie_on_the_device_where_that_is_worth_it_and_they_fit(monkeypatch):
    assert jax_chunks.JAXChunks(Batches(X)).resident is None  # on a processor
    monkeypatch.setattr(jax_chunks.JAXChunks, "is_worth_residing", lambda self: True)
    assert jax_chunks.JAXChunks(Batches(X)).resident is not None
    monkeypatch.setattr(chunks, "LARGEST_RESIDENT", 10)
    assert jax_chunks.JAXChunks(Batches(X)).resident is None
