import keras
import numpy as np
import pytest
from families import BY_NAME
from keras import ops

from keras_vae.models import VAE
from keras_vae.models import VAEGAN

pytestmark = pytest.mark.compiled_once

X = (np.random.default_rng(0).uniform(size=(8, 6, 5, 1)) > 0.5).astype("float32")


def test_the_bound_is_that_of_vae():
    model = BY_NAME["vae_gan"].model()
    plain = VAE(model.encoder, model.decoder, seed=model.noise.seed)
    x = ops.convert_to_tensor(X)
    terms, expected = model.terms(x), plain.terms(x)
    for name in ("reconstruction", "kl", "elbo"):
        np.testing.assert_allclose(
            *(ops.convert_to_numpy(t[name]) for t in (terms, expected)), rtol=1e-6
        )
    logs = model.evaluate(X, verbose=0, return_dict=True)
    np.testing.assert_allclose(logs["loss"], -logs["elbo"], rtol=1e-6)


def test_a_preset_holds_the_arguments(tmp_path):
    model = BY_NAME["vae_gan"].model()
    model.save_to_preset(tmp_path)
    loaded = VAEGAN.from_preset(tmp_path)
    assert (loaded.perceptual_weight, loaded.adversarial_weight) == (1.0, 0.1)
    assert loaded.discriminator_start == 2
    assert np.array_equal(loaded.reconstruct(X), model.reconstruct(X))
    for part in ("discriminator", "features"):
        pairs = zip(getattr(loaded, part).weights, getattr(model, part).weights, strict=True)
        assert all(np.array_equal(*map(ops.convert_to_numpy, pair)) for pair in pairs)
    assert not loaded.features.trainable


def test_features_bring_reconstructions_nearer_in_features():
    x = np.zeros((8, 6, 5, 1), "float32")
    x[::2, ::2], x[1::2, :, ::2] = 1, 1  # bars that lie or stand
    found = []
    for weight in (0.0, 10.0):
        model = BY_NAME["vae_gan"].model()
        model.perceptual_weight, model.adversarial_weight = weight, 0.0
        model.compile(keras.optimizers.Adam(0.02))
        model.fit(x, epochs=60, verbose=0)
        found.append(model.evaluate(x, verbose=0, return_dict=True)["perceptual"])
    assert found[1] < 0.9 * found[0]
