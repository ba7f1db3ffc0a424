import numpy as np
import pytest

import keras_vae
from keras_vae import PictureWriter

pytestmark = pytest.mark.compiled_once

image = pytest.importorskip("matplotlib.image")

X = np.random.default_rng(0).integers(0, 2, (6, 4, 4, 1)).astype("float32")


def small_vae():
    networks = [kind((4, 4, 1), 2, (4,)) for kind in (keras_vae.MLPEncoder, keras_vae.MLPDecoder)]
    model = keras_vae.VAE(*networks, seed=0)
    model.compile("adam")
    return model


def test_pictures_every_second_epoch(tmp_path):
    model = small_vae()
    writer = PictureWriter(tmp_path, X[:3], every=2, num_samples=4)
    model.fit(X, epochs=5, callbacks=[writer], verbose=0)
    names = {f"{kind}-{n:04d}.png" for kind in ("samples", "reconstructions") for n in (2, 4)}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert image.imread(tmp_path / "samples-0002.png").shape[0] >= 64


def test_drawing_does_not_change_the_training(tmp_path):
    plain, watched = small_vae(), small_vae()
    watched.set_weights(plain.get_weights())
    plain.fit(X, epochs=2, verbose=0)
    watched.fit(X, epochs=2, callbacks=[PictureWriter(tmp_path, X)], verbose=0)
    for a, b in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_tensorboard_gets_the_same(tmp_path):
    writer = PictureWriter(tensorboard=tmp_path / "log", num_samples=2)
    small_vae().fit(X, epochs=2, callbacks=[writer], verbose=0)
    (path,) = (tmp_path / "log").iterdir()
    assert path.name.startswith("events.out.tfevents.")
    assert path.read_bytes().count(b"\x89PNG") == 2


def test_a_model_without_a_prior_yet_shows_reconstructions(tmp_path):
    networks = (
        keras_vae.ConvMapEncoder((4, 4, 1), 2, (4,)),
        keras_vae.ConvMapDecoder((4, 4, 1), 2, (4,)),
    )
    model = keras_vae.VQVAE(*networks, keras_vae.VectorQuantizer(4), seed=0)
    model.compile("adam")
    with pytest.raises(ValueError, match=r"nothing to draw: this VQVAE has no prior.*Give `x`"):
        model.fit(X, callbacks=[PictureWriter(tmp_path)], verbose=0)
    assert int(model.optimizer.iterations) == 0
    model.fit(X, callbacks=[PictureWriter(tmp_path, X)], verbose=0)
    assert [path.name for path in tmp_path.iterdir()] == ["reconstructions-0001.png"]


def test_pictures_of_any_size_and_of_another_range(tmp_path):
    shape = (None, None, 1)
    model = keras_vae.VAE(
        keras_vae.ConvMapEncoder(shape, 2, (4,), num_outputs=2),
        keras_vae.ConvMapDecoder(shape, 2, (4,)),
        keras_vae.GaussianLikelihood(value_range=(-1, 1)),
    )
    model.compile("adam")
    model.fit(2 * X - 1, callbacks=[PictureWriter(tmp_path, 2 * X - 1)], verbose=0)
    pixels = image.imread(tmp_path / "reconstructions-0001.png")
    assert pixels[..., :3].min() < 0.1  # black is black, not what is half-way to white
    assert [path.name for path in tmp_path.iterdir()] == ["reconstructions-0001.png"]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"folder": "a", "every": 0}, "`every`"),
        ({"folder": "a", "num_samples": -1}, "`num_samples`"),
        ({}, "`folder`"),
        ({"folder": "a", "num_samples": 0}, "nothing to draw"),
    ],
)
def test_what_draws_nothing(options, message):
    with pytest.raises(ValueError, match=message):
        PictureWriter(**options)


def test_what_is_no_data_is_refused_before_training(tmp_path):
    with pytest.raises(ValueError, match="x"):
        small_vae().fit(X, callbacks=[PictureWriter(tmp_path, np.zeros((2, 5)))], verbose=0)
