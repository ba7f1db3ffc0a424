import keras
import numpy as np
import pytest
from keras import ops

import keras_vae


@pytest.fixture(scope="module")
def model():
    networks = keras_vae.MLPEncoder((6,), 2, ()), keras_vae.MLPDecoder((6,), 2, ())
    return keras_vae.Autoencoder(*networks, keras_vae.GaussianLikelihood(0.5), seed=0)


def test_reconstruction_by_hand(model):
    x = np.random.default_rng(0).standard_normal((5, 6)).astype("float32")
    kernel, bias = model.encoder.get_layer("z_mean").get_weights()
    decoded = (x @ kernel + bias) @ model.decoder.get_layer("output").get_weights()[0]
    by_hand = np.sum((x - decoded) ** 2, axis=1) / (2 * 0.25) + 3 * np.log(2 * np.pi * 0.25)
    found = model.terms(ops.convert_to_tensor(x))["reconstruction"]
    np.testing.assert_allclose(ops.convert_to_numpy(found), by_hand, rtol=1e-4)
    np.testing.assert_allclose(model.reconstruct(x), decoded, rtol=1e-4, atol=1e-5)


def test_learns_the_principal_subspace():
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((512, 2)) @ rng.standard_normal((2, 6))).astype("float32")
    networks = keras_vae.MLPEncoder((6,), 2, ()), keras_vae.MLPDecoder((6,), 2, ())
    model = keras_vae.Autoencoder(*networks, keras_vae.GaussianLikelihood(), seed=0)
    model.compile(keras.optimizers.Adam(0.02))
    model.fit(x, x, batch_size=64, epochs=40, verbose=0)
    assert np.mean((model.reconstruct(x) - x) ** 2) < 0.01 * np.var(x)


def test_has_nothing_to_sample_or_score(model):
    with pytest.raises(NotImplementedError, match="no prior over z"):
        model.sample(1)
    with pytest.raises(NotImplementedError, match="no density of z given x"):
        model.log_likelihood(np.zeros((1, 6), "float32"))
