import keras
import numpy as np
import pytest

import keras_vae
from keras_vae.models import VAE


def scaled_vae(**options):
    networks = keras_vae.MLPEncoder((6,), 2, (4,)), keras_vae.MLPDecoder((6,), 2, (4,))
    return VAE(
        *networks, keras_vae.GaussianLikelihood(value_range=(-0.001, 0.001)), seed=0, **options
    )


@pytest.mark.parametrize("shift, scale", [(0.5, 2.0), ([0.5, -1.0], [2.0, 0.1])])
def test_latents_are_shifted_and_scaled_and_come_back(shift, scale):
    model = scaled_vae(latent_shift=shift, latent_scale=scale)
    x = np.random.default_rng(0).uniform(-0.001, 0.001, (5, 6)).astype("float32")
    z = keras.ops.convert_to_numpy(model.encode(x).mean)
    latents = model.latents(x, batch_size=2)
    np.testing.assert_allclose(latents, (z - np.array(shift)) * np.array(scale), rtol=1e-5)
    z = np.random.default_rng(1).normal(size=(5, 2)).astype("float32")
    means = keras.ops.convert_to_numpy(model.decode(z).mean)
    assert np.abs(means).max() > 0.001
    found = model.pictures((z - np.array(shift)) * np.array(scale), batch_size=2)
    np.testing.assert_allclose(found, means.clip(-0.001, 0.001), atol=1e-6)


@pytest.mark.one_backend
def test_shift_and_scale_are_saved_and_checked(tmp_path):
    scaled_vae(latent_shift=[0.5, -1.0], latent_scale=3).save_to_preset(tmp_path)
    again = keras_vae.from_preset(tmp_path)
    assert (again.latent_shift, again.latent_scale) == ([0.5, -1.0], 3.0)
    for wrong in ({"latent_scale": 0}, {"latent_scale": [1, 0]}, {"latent_shift": np.nan}):
        (name,) = wrong
        with pytest.raises(ValueError, match=f"`{name}` must be a finite number"):
            scaled_vae(**wrong)
    with pytest.raises(ValueError, match=r"`latents`.*shape"):
        again.pictures(np.zeros((2, 3)))
