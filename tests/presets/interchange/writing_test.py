"""Models written in diffusers' layout: the files are compared with those that diffusers writes."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

import keras_vae
from tests.support.peers import NAMES
from tests.support.peers import WEIGHTS
from tests.support.peers import Peer


@pytest.mark.one_backend
@pytest.mark.parametrize("name", NAMES)
def test_what_was_read_is_written_as_it_was(name, tmp_path):
    peer = Peer(name)
    model = keras_vae.from_preset(peer.write(tmp_path / "peer"))
    model.save_to_diffusers(tmp_path / "again")
    tensors = load_file(tmp_path / "again" / WEIGHTS)
    assert tensors.keys() == peer.tensors.keys()
    for key, tensor in tensors.items():
        assert np.array_equal(tensor, peer.tensors[key]), key
    config = json.loads((tmp_path / "again" / "config.json").read_text())
    same = {k: v for k, v in config.items() if k not in ("scaling_factor", "latents_std")}
    assert same == {k: peer.config[k] for k in same}


def test_a_model_made_here_comes_back(tmp_path):
    filters = {"num_groups": 2, "latent_dim": 3}
    model = keras_vae.VAE(
        keras_vae.AutoencoderKLEncoder(filters=(4, 6), num_blocks=1, **filters),
        keras_vae.AutoencoderKLDecoder(filters=(6, 4), num_blocks=2, **filters),
        keras_vae.GaussianLikelihood(value_range=(-1, 1)),
        latent_scale=0.5,
        latent_shift=0.25,
    )
    model.save_to_diffusers(tmp_path)
    x = np.random.default_rng(0).uniform(-1, 1, (2, 6, 8, 3)).astype("float32")
    np.testing.assert_allclose(
        keras_vae.from_preset(tmp_path).latents(x), model.latents(x), atol=1e-6
    )


def tiny(has_norm=False, value_range=(0, 1), **options):
    return keras_vae.Autoencoder(
        keras_vae.TinyEncoder(num_channels=4, has_norm=has_norm, **options),
        keras_vae.TinyDecoder(num_channels=4, has_norm=has_norm),
        keras_vae.GaussianLikelihood(value_range=value_range),
    )


@pytest.mark.one_backend
@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: tiny(has_norm=True), "no group norms"),
        (lambda: tiny(value_range=None), r"values in \[0, 1\].*value_range=None"),
        (lambda: tiny(num_outputs=2), "one output z"),
        (
            lambda: keras_vae.VAE(
                keras_vae.MLPEncoder((4,), 2, (4,)), keras_vae.MLPDecoder((4,), 2, (4,))
            ),
            "no model with the encoder MLPEncoder",
        ),
        (
            lambda: keras_vae.Autoencoder(
                keras_vae.TinyEncoder(num_channels=4),
                keras_vae.ConvMapDecoder((None, None, 3), 4, (4, 4, 4)),
            ),
            "another decoder than TinyDecoder",
        ),
    ],
)
def test_models_that_diffusers_does_not_have(make, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        make().save_to_diffusers(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


@pytest.mark.one_backend
def test_weights_of_ours_that_theirs_have_no_place_for(tmp_path):
    model = keras_vae.VAE(
        keras_vae.AutoencoderKLEncoder(filters=(4,), num_blocks=1, num_groups=2),
        keras_vae.AutoencoderKLDecoder(filters=(4,), num_blocks=2, num_groups=2),
        keras_vae.LearnedSigmaGaussianLikelihood(),
    )
    with pytest.raises(ValueError, match="value_range"):
        model.save_to_diffusers(tmp_path)
