"""Writes the fixtures of `tests/presets/interchange`: what diffusers computes with drawn weights.

It is run by hand, in an environment with diffusers and PyTorch and without Keras:

    pip install diffusers==0.42.1 torch==2.13.0
    python tests/support/write_peer_fixtures.py
"""

import json
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from diffusers import AutoencoderTiny
from diffusers import VQModel
from peer_weights import drawn

FOLDER = Path(__file__).parents[1] / "presets" / "interchange" / "fixtures"
SMALL = {
    "block_out_channels": (4, 8),
    "layers_per_block": 1,
    "norm_num_groups": 2,
    "down_block_types": ("DownEncoderBlock2D",) * 2,
    "up_block_types": ("UpDecoderBlock2D",) * 2,
}
TINY = {
    "encoder_block_out_channels": (6,) * 4,
    "decoder_block_out_channels": (6,) * 4,
    "num_encoder_blocks": (1, 1, 2, 1),
    "num_decoder_blocks": (2, 1, 1, 1),
}
PEERS = {
    "kl": lambda: AutoencoderKL(**SMALL, latent_channels=3),
    "kl_without_quant_conv": lambda: AutoencoderKL(
        **SMALL,
        latent_channels=5,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=False,
        scaling_factor=1.5305,
        shift_factor=0.0609,
    ),
    "kl_with_statistics": lambda: AutoencoderKL(
        **SMALL, latent_channels=2, latents_mean=[0.5, -0.25], latents_std=[2.0, 0.5]
    ),
    "vq": lambda: VQModel(**SMALL, latent_channels=3, vq_embed_dim=2, num_vq_embeddings=16),
    "tiny": lambda: AutoencoderTiny(**TINY),
    "tiny_16": lambda: AutoencoderTiny(**TINY, latent_channels=16),
}


def results(peer, x):
    """What a peer gives for x (B, C, H, W) in [-1, 1]."""
    if isinstance(peer, AutoencoderKL):
        posterior = peer.encode(x).latent_dist
        z = posterior.mean
        return {"z_mean": z, "z_log_var": posterior.logvar, "y": peer.decode(z).sample}
    z = peer.encode(x).latents
    found = {"z": z, "y": peer.decode(z).sample}
    if isinstance(peer, VQModel):
        rows = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1])
        indices = torch.cdist(rows, peer.quantize.embedding.weight).argmin(dim=1)
        found["indices"] = indices.reshape(len(z), *z.shape[2:])
    return found


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    x = np.random.default_rng(0).uniform(-1, 1, size=(1, 16, 24, 3)).astype("float16")
    for name, make in PEERS.items():
        peer = make().eval()
        tensors = {k: drawn(k, tuple(v.shape)) for k, v in peer.state_dict().items()}
        peer.load_state_dict({k: torch.from_numpy(v) for k, v in tensors.items()})
        config = {"_class_name": type(peer).__name__, **peer.config}
        config = {k: v for k, v in config.items() if k != "_use_default_values"}
        with torch.no_grad():
            found = results(peer, torch.from_numpy(x.astype("float32")).permute(0, 3, 1, 2))
        arrays = {
            k: (v if k == "indices" else v.permute(0, 2, 3, 1)).numpy() for k, v in found.items()
        }
        shapes = {k: list(v.shape) for k, v in tensors.items()}
        texts = {"config": json.dumps(config), "shapes": json.dumps(shapes)}
        np.savez_compressed(FOLDER / f"{name}.npz", x=x, **arrays, **texts)


if __name__ == "__main__":
    main()
