"""The tables of names; that what they say computes the same is tested in `reading_test.py`."""

import pytest

from keras_vae.presets.interchange.latent_diffusion import AutoencoderKL
from keras_vae.presets.interchange.latent_diffusion import VQModel
from keras_vae.presets.interchange.latent_diffusion import renamed
from tests.support.peers import Peer

pytestmark = pytest.mark.one_backend


@pytest.mark.parametrize("name", ["kl", "kl_without_quant_conv", "vq"])
def test_every_tensor_has_one_row(name):
    peer = Peer(name)
    kind = {"AutoencoderKL": AutoencoderKL, "VQModel": VQModel}[peer.config["_class_name"]]
    rows = kind.rows(kind.model_config(peer.config))
    assert sorted(row.theirs for row in rows) == sorted(peer.tensors)
    assert len({row.ours for row in rows}) == len(rows)


def test_names_of_some_rows():
    rows = {r.theirs: r.ours for r in AutoencoderKL.rows(AutoencoderKL.model_config(SD))}
    assert rows["encoder.down_blocks.2.downsamplers.0.conv.bias"] == "encoder/stage_3_halving/bias"
    first = "decoder.up_blocks.2.resnets.0.conv_shortcut.weight"
    assert rows[first] == "decoder/stage_3_block_1_shortcut/kernel"
    assert len(rows) == 248  # as in Stable Diffusion's files


SD = {
    "_class_name": "AutoencoderKL",
    "block_out_channels": [128, 256, 512, 512],
    "layers_per_block": 2,
    "latent_channels": 4,
}


def test_older_names_of_attention():
    old = "decoder.mid_block.attentions.0.proj_attn.weight"
    assert renamed(old) == "decoder.mid_block.attentions.0.to_out.0.weight"
    new = "decoder.mid_block.attentions.0.group_norm.weight"
    assert renamed(new) == new
    assert renamed("decoder.conv_in.bias") == "decoder.conv_in.bias"


def test_decoders_that_mirror_no_encoder_are_refused():
    config = AutoencoderKL.model_config(SD)
    config["config"]["decoder"]["config"] |= {"num_blocks": 2, "num_parameters": 1}
    with pytest.raises(ValueError, match=r"mirror image.*'num_blocks': 3.*'num_blocks': 2"):
        AutoencoderKL.their_config(config)


def test_quantizers_with_projections_are_refused():
    config = VQModel.model_config(Peer("vq").config)
    config["config"]["quantizer"]["config"]["code_dim"] = 2
    with pytest.raises(ValueError, match=r"without projections.*code_dim=2"):
        VQModel.their_config(config)
