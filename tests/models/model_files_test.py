import keras
import numpy as np
import pytest

import keras_vae

X = np.random.default_rng(0).integers(0, 2, (40, 6)).astype("float32")


def small_vae():
    networks = keras_vae.MLPEncoder((6,), 2, (4,)), keras_vae.MLPDecoder((6,), 2, (4,))
    return keras_vae.VAE(*networks, seed=0)


def test_preset_round_trip(tmp_path):
    model = small_vae()
    model.save_to_preset(tmp_path / "preset")
    again = keras_vae.GenerativeModel.from_preset(tmp_path / "preset")
    assert type(again) is keras_vae.VAE
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    with pytest.raises(ValueError, match=r"holds a VAE, not a Autoencoder"):
        keras_vae.Autoencoder.from_preset(tmp_path / "preset")


def test_a_preset_may_hold_only_registered_classes(tmp_path):
    small_vae().save_to_preset(tmp_path)
    path = tmp_path / "config.json"
    config = path.read_text().replace("keras_vae>MLPEncoder", "subprocess>Popen")
    path.write_text(
        config.replace("keras_vae.networks.mlp", "subprocess").replace("MLPEncoder", "Popen")
    )
    with pytest.raises(ValueError, match="cannot be turned into a model"):
        keras_vae.VAE.from_preset(tmp_path)


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    inputs = keras.Input((6,))
    z_mean = keras.layers.Lambda(lambda x: x[:, :2])(inputs)
    encoder = keras.Model(inputs, [z_mean, z_mean])
    model = keras_vae.VAE(encoder, keras_vae.MLPDecoder((6,), 2), seed=0)
    with pytest.raises(ValueError, match="no Lambda"):
        model.save_to_preset(tmp_path / "preset")
    assert not (tmp_path / "preset").exists()


def test_a_model_without_weights_is_not_saved(tmp_path):
    class Unknown(keras.Model):
        def call(self, x):
            return x, x

    model = keras_vae.VAE(Unknown(), Unknown(), seed=0)
    with pytest.raises(ValueError, match="has no weights yet"):
        model.save_to_preset(tmp_path / "preset")
    assert not (tmp_path / "preset").exists()
