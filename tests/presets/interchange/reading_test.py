"""Models of diffusers, read: what they compute here and there, and what is refused."""

import json
import pickle

import ml_dtypes
import numpy as np
import pytest
from keras import ops
from safetensors.numpy import save_file

import keras_vae
from keras_vae.presets.interchange import is_foreign
from keras_vae.presets.interchange import read_foreign
from tests.support.peers import NAMES
from tests.support.peers import WEIGHTS
from tests.support.peers import Peer

pytestmark = pytest.mark.compiled_once

CLASSES = {"kl": keras_vae.VAE, "vq": keras_vae.VQVAE, "tiny": keras_vae.Autoencoder}


def close(a, b, tolerance=1e-4):
    np.testing.assert_allclose(ops.convert_to_numpy(a), b, atol=tolerance, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_it_computes_what_diffusers_computes(name, tmp_path):
    peer = Peer(name)
    model = keras_vae.from_preset(peer.write(tmp_path / "peer"))
    assert type(model) is CLASSES[name.split("_")[0]]
    encoded, y = model.encode(peer.x_here), peer.y_here
    if "z_mean" in peer.found:
        close(encoded.mean, peer.found["z_mean"])
        close(encoded.log_var, peer.found["z_log_var"])
        close(model.decode(peer.found["z_mean"]).mean, y)
    elif "indices" in peer.found:
        assert np.array_equal(ops.convert_to_numpy(encoded.indices), peer.found["indices"])
        assert np.array_equal(model.encode_indices(peer.x_here), peer.found["indices"])
        close(model.encoder(peer.x_here), peer.found["z"])
        close(model.reconstruct(peer.x_here), y)
    else:
        close(encoded, peer.found["z"])
        close(model.decode(peer.found["z"]).mean, y)


def test_latents_are_shifted_and_scaled_as_diffusers_says(tmp_path):
    peer = Peer("kl_without_quant_conv")
    model = keras_vae.from_preset(peer.write(tmp_path / "peer"))
    latents = model.latents(peer.x)
    close(latents, (peer.found["z_mean"] - 0.0609) * 1.5305)
    close(model.pictures(latents), peer.found["y"].clip(-1, 1))
    peer = Peer("kl_with_statistics")
    model = keras_vae.from_preset(peer.write(tmp_path / "statistics"))
    mean, std = np.array([0.5, -0.25]), np.array([2.0, 0.5])
    close(model.latents(peer.x), (peer.found["z_mean"] - mean) / std * 0.18215)
    # They travel with a preset of ours, too.
    model.save_to_preset(tmp_path / "ours")
    again = keras_vae.from_preset(tmp_path / "ours")
    assert np.array_equal(again.latents(peer.x), model.latents(peer.x))


@pytest.mark.one_backend
@pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16])
def test_half_precision_is_widened(dtype, tmp_path):
    peer = Peer("tiny")
    halves = {k: v.astype(dtype) for k, v in peer.tensors.items()}
    found = read_foreign(peer.write(tmp_path, halves))
    for row in found.rows:
        expected = row.to_ours(halves[row.theirs].astype("float32"))
        assert np.array_equal(found.tensors[row.ours], expected)


@pytest.mark.one_backend
def test_the_file_itself_and_old_names_of_attention(tmp_path):
    peer = Peer("kl")
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def name_of(name):
        for new, word in old.items():
            name = name.replace(f".attentions.0.{new}.", f".attentions.0.{word}.")
        return name

    tensors = {name_of(k): v for k, v in peer.tensors.items()}
    assert tensors.keys() != peer.tensors.keys()
    file = peer.write(tmp_path, tensors) / WEIGHTS
    model = keras_vae.VAE.from_preset(str(file))
    close(model.encode(peer.x).mean, peer.found["z_mean"])


@pytest.mark.one_backend
def test_of_two_files_the_whole_precision_is_read(tmp_path):
    peer = Peer("tiny")
    peer.write(tmp_path)
    halves = {k: v.astype("float16") for k, v in peer.tensors.items()}
    save_file(halves, tmp_path / "diffusion_pytorch_model.fp16.safetensors")
    assert read_foreign(tmp_path).path.name == WEIGHTS


@pytest.mark.one_backend
def test_what_is_foreign(tmp_path):
    peer = Peer("tiny")
    folder = peer.write(tmp_path / "peer")
    assert is_foreign(folder)
    assert is_foreign(folder / WEIGHTS)
    keras_vae.from_preset(folder).save_to_preset(tmp_path / "ours")
    assert not is_foreign(tmp_path / "ours")
    assert not is_foreign(tmp_path / "nothing")


def refused(folder, message):
    with pytest.raises(ValueError, match=message):
        keras_vae.from_preset(folder)


@pytest.mark.one_backend
def test_tensors_that_are_missing_or_left_over_are_named(tmp_path):
    peer = Peer("kl")
    kept = dict(peer.tensors)
    del kept["decoder.conv_in.bias"]
    refused(peer.write(tmp_path / "a", kept), r"Missing: 'decoder.conv_in.bias'. Left over: none")
    more = peer.tensors | {"loss.weight": np.zeros(3, "float32")}
    refused(peer.write(tmp_path / "b", more), r"Missing: none. Left over: 'loss.weight'")


@pytest.mark.one_backend
def test_a_tensor_of_another_shape_is_named(tmp_path):
    peer = Peer("kl")
    name = "encoder.down_blocks.0.resnets.0.conv1.weight"
    wrong = peer.tensors | {name: np.zeros((4, 4, 5, 5), "float32")}
    refused(peer.write(tmp_path, wrong), rf"{name}.* has.*\(5, 5, 4, 4\). Expected: \(3, 3, 4, 4\)")


@pytest.mark.one_backend
def test_weights_that_are_not_finite_are_refused(tmp_path):
    peer = Peer("tiny")
    bias = np.full_like(peer.tensors["encoder.layers.0.bias"], np.nan)
    refused(peer.write(tmp_path, peer.tensors | {"encoder.layers.0.bias": bias}), "not finite")


@pytest.mark.one_backend
def test_pickles_are_refused_with_the_command_that_converts_them(tmp_path):
    peer = Peer("tiny")
    (tmp_path / "config.json").write_text(json.dumps(peer.config))
    file = tmp_path / "diffusion_pytorch_model.bin"
    file.write_bytes(pickle.dumps({}))
    refused(tmp_path, r"is a pickle.*torch.load\(sys.argv\[1\], weights_only=True\)")
    refused(file, r"is a pickle.*save_file")
    file.rename(tmp_path / WEIGHTS)
    refused(tmp_path, r"not a safetensors file.*a pickle under another name")


@pytest.mark.one_backend
@pytest.mark.parametrize(
    "setting, message",
    [
        ({"_class_name": "AsymmetricAutoencoderKL"}, "architecture.*AutoencoderKL.*Asymmetric"),
        ({"act_fn": "gelu"}, "setting.*`act_fn`. Expected: 'silu'. Received: 'gelu'"),
        ({"down_block_types": ["AttnDownEncoderBlock2D"] * 2}, "stages.*`down_block_types`"),
        ({"resampling": "fancy"}, "`resampling`. It is not known here"),
        ({"latent_channels": "4"}, "`latent_channels` must be a number. Received: '4'"),
        ({"block_out_channels": [4, 7]}, "num_groups.*must divide"),
        ({"latent_channels": 4096}, "cannot be turned into a model"),
    ],
)
def test_configurations_that_are_refused(setting, message, tmp_path):
    peer = Peer("kl")
    refused(peer.write(tmp_path, config=peer.config | setting), message)


@pytest.mark.one_backend
def test_files_in_a_layout_that_is_not_known_are_refused(tmp_path):
    tensors = {"first_stage_model.encoder.conv_in.weight": np.zeros(3, "float32")}
    save_file(tensors, tmp_path / "ldm.safetensors")
    refused(tmp_path / "ldm.safetensors", r"no config.json next to it.*from_single_file")
    (tmp_path / "config.json").write_text('{"_class_name": "AutoencoderKL", "x": NaN}')
    refused(tmp_path, "holds NaN.*damaged")


@pytest.mark.one_backend
def test_a_preset_of_another_class_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds a Autoencoder, not a VAE"):
        keras_vae.VAE.from_preset(Peer("tiny").write(tmp_path))
