import numpy as np
import pytest
from families import BY_NAME
from keras import ops

from keras_vae.models import VQGAN
from keras_vae.models import VQVAE

pytestmark = pytest.mark.compiled_once

X = (np.random.default_rng(0).uniform(size=(8, 6, 5, 1)) > 0.5).astype("float32")


def test_the_bound_is_that_of_vqvae():
    model = BY_NAME["vq_gan"].model()
    plain = VQVAE(model.encoder, model.decoder, model.quantizer)
    x = ops.convert_to_tensor(X)
    terms, expected = model.terms(x), plain.terms(x)
    for name in expected:
        np.testing.assert_allclose(
            *(ops.convert_to_numpy(t[name]) for t in (terms, expected)), rtol=1e-6
        )
    logs = model.evaluate(X, verbose=0, return_dict=True)
    np.testing.assert_allclose(logs["loss"], -logs["elbo"], rtol=1e-6)


def test_a_preset_has_its_prior_and_its_game(tmp_path):
    model = BY_NAME["vq_gan"].model()
    model.save_to_preset(tmp_path)
    loaded = VQGAN.from_preset(tmp_path)
    assert np.array_equal(loaded.encode_indices(X), model.encode_indices(X))
    assert loaded.adversarial_weight == 0.1
