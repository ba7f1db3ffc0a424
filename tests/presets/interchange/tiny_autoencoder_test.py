"""The tiny autoencoder's tables; and its published weights, where they are on this machine."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from safetensors.numpy import save_file

import keras_vae
from keras_vae.models.saving.named_weights import arrays_of
from keras_vae.presets.interchange import tiny_autoencoder
from keras_vae.presets.interchange.tiny_autoencoder import AutoencoderTiny
from keras_vae.presets.interchange.tiny_autoencoder import NumberedTiny
from tests.support.peers import Peer

DATA = Path(os.environ.get("KERAS_VAE_DATA", Path(__file__).parents[4] / "shared" / "data"))
needs_weights = pytest.mark.skipif(
    not (DATA / "taef2").is_dir(), reason="the published weights are not here"
)


@pytest.mark.one_backend
def test_every_tensor_has_one_row_in_both_layouts():
    peer = Peer("tiny")
    config = AutoencoderTiny.model_config(peer.config)
    rows, numbered = AutoencoderTiny.rows(config), NumberedTiny.rows(config)
    assert sorted(row.theirs for row in rows) == sorted(peer.tensors)
    assert [row.ours for row in rows] == [row.ours for row in numbered]
    # The authors count a clamp at the start of the decoder.
    names = {a.theirs: b.theirs for a, b in zip(rows, numbered, strict=True)}
    assert names["encoder.layers.0.weight"] == "encoder.0.weight"
    assert names["decoder.layers.0.weight"] == "decoder.1.weight"


@pytest.mark.one_backend
def test_stages_must_have_the_same_channels():
    config = Peer("tiny").config | {"encoder_block_out_channels": [6, 6, 6, 8]}
    with pytest.raises(ValueError, match="same number of channels"):
        AutoencoderTiny.model_config(config)


def numbered(has_norm, channels=6):
    """Returns a model and its tensors as the authors number them."""
    options = {"latent_dim": 5, "num_channels": channels, "has_norm": has_norm}
    model = keras_vae.Autoencoder(
        keras_vae.TinyEncoder(**options),
        keras_vae.TinyDecoder(**options),
        keras_vae.GaussianLikelihood(value_range=(0, 1)),
    )
    rows, arrays = NumberedTiny.rows(keras.saving.serialize_keras_object(model)), arrays_of(model)
    return model, {r.theirs: np.ascontiguousarray(r.to_theirs(arrays[r.ours])) for r in rows}


@pytest.mark.one_backend
@pytest.mark.parametrize("has_norm", [False, True])
def test_numbered_tensors_say_which_architecture_they_are_of(has_norm, tmp_path):
    model, tensors = numbered(has_norm)
    save_file(tensors, tmp_path / "tiny.safetensors")
    again = keras_vae.from_preset(tmp_path / "tiny.safetensors")
    assert again.encoder.get_config() == model.encoder.get_config()
    x = np.random.default_rng(0).uniform(size=(1, 16, 24, 3)).astype("float32")
    assert np.array_equal(again.reconstruct(x), model.reconstruct(x))
    # A folder with nothing else in it will do, too.
    assert isinstance(keras_vae.from_preset(tmp_path), keras_vae.Autoencoder)


@pytest.mark.one_backend
def test_numbered_tensors_of_another_architecture_are_refused(tmp_path):
    assert not tiny_autoencoder.is_numbered([])
    assert not tiny_autoencoder.is_numbered(["encoder.0.weight", "loss"])
    save_file({"encoder.0.weight": np.zeros((4, 3, 3, 3), "float32")}, tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match=r"first and last convolutions.*encoder\.14\.weight"):
        keras_vae.from_preset(tmp_path / "a.safetensors")
    _, tensors = numbered(has_norm=True)
    del tensors["encoder.11.pool.0.weight"]
    save_file(tensors, tmp_path / "b.safetensors")
    with pytest.raises(ValueError, match=r"Missing: 'encoder\.11\.pool\.0\.weight'"):
        keras_vae.from_preset(tmp_path / "b.safetensors")


@needs_weights
def test_the_published_weights_compute_what_their_authors_code_does():
    model = keras_vae.from_preset(DATA / "taef2" / "taef2.safetensors")
    with np.load(DATA / "taef2" / "reference.npz") as reference:
        x, z, y = reference["x"][None] / np.float32(255), reference["z"], reference["y"]
    latents = model.latents(x)
    np.testing.assert_allclose(latents[0], z, atol=1e-3)
    decoded = ops.convert_to_numpy(model.decode(z[None]).mean)[0]
    np.testing.assert_allclose(decoded, y, atol=1e-3)
    error = np.mean(np.square(model.pictures(latents) - x))
    assert -10 * np.log10(error) >= 31.8  # dB; the authors' code reaches 31.86
