import keras
import numpy as np
import pytest

import keras_vae

X = np.random.default_rng(0).integers(0, 2, (8, 6)).astype("float32")


def vae(seed=0):
    keras.utils.set_random_seed(seed)
    return keras_vae.VAE(
        keras_vae.MLPEncoder((6,), 2, (4,)), keras_vae.MLPDecoder((6,), 2, (4,)), seed=0
    )


@pytest.mark.parametrize("save, name", [("save", "x.keras"), ("save_weights", "x.weights.h5")])
def test_a_file_that_is_there_is_overwritten_only_where_one_says_so(
    save, name, tmp_path, monkeypatch
):
    path = tmp_path / name
    getattr(vae(), save)(path)
    before = path.read_bytes()
    monkeypatch.setattr("builtins.input", lambda *_: "n")
    getattr(vae(1), save)(path, overwrite=False)
    assert path.read_bytes() == before
    getattr(vae(1), save)(path)
    assert path.read_bytes() != before
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_folder_of_keras_is_written_as_keras_does(tmp_path):
    model = vae()
    model.save(tmp_path / "folder", zipped=False)
    again = keras.models.load_model(tmp_path / "folder")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_the_sha256_is_that_of_the_weights(tmp_path):
    model = vae()
    model.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    assert again.weights_sha256() == model.weights_sha256() != vae(1).weights_sha256()


@pytest.mark.one_backend
@pytest.mark.parametrize("wrong", [None, "", 3])
def test_a_preset_has_a_name(wrong):
    with pytest.raises(ValueError, match=r"`name_or_folder`.*Received"):
        keras_vae.VAE.from_preset(wrong)
