"""`AutoencoderKL` and `VQModel`, the autoencoders of latent diffusion, in diffusers' layout."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_vae.presets.interchange.configs import check_blocks
from keras_vae.presets.interchange.configs import check_range
from keras_vae.presets.interchange.configs import described
from keras_vae.presets.interchange.configs import settings
from keras_vae.presets.interchange.rows import Row
from keras_vae.presets.interchange.rows import conv
from keras_vae.presets.interchange.rows import dense
from keras_vae.presets.interchange.rows import last_conv
from keras_vae.presets.interchange.rows import norm

RANGE = (-1.0, 1.0)
_OF_BOTH: dict[str, Any] = {
    "in_channels": 3,
    "out_channels": 3,
    "block_out_channels": [64],
    "layers_per_block": 1,
    "norm_num_groups": 32,
    "mid_block_add_attention": True,
    "scaling_factor": 0.18215,
}
_OF_KL: dict[str, Any] = {
    **_OF_BOTH,
    "latent_channels": 4,
    "shift_factor": None,
    "latents_mean": None,
    "latents_std": None,
    "use_quant_conv": True,
    "use_post_quant_conv": True,
}
_OF_VQ: dict[str, Any] = {
    **_OF_BOTH,
    "latent_channels": 3,
    "num_vq_embeddings": 256,
    "vq_embed_dim": None,
}
_IGNORED = ("sample_size", "force_upcast", "down_block_types", "up_block_types")
_ATTENTION = {
    "query": "to_q",
    "key": "to_k",
    "value": "to_v",
    "output": "to_out.0",
}
# Names in files from before 2023 -> current names.
_OLD_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


class AutoencoderKL:
    """`AutoencoderKL`, a `VAE` of `AutoencoderKLEncoder` and `AutoencoderKLDecoder`."""

    encoder_class = "AutoencoderKLEncoder"

    @staticmethod
    def model_config(config: Mapping[str, Any]) -> dict[str, Any]:
        """Returns this library's config of the model that another library's describes."""
        said = _settings(config, _OF_KL, {"act_fn": "silu"})
        scale, shift = _scale_and_shift(said)
        options = {"latent_dim": said["latent_channels"], **_trunk_options(said)}
        return described(
            "VAE",
            encoder=described(
                "AutoencoderKLEncoder",
                input_shape=[None, None, said["in_channels"]],
                has_quant_conv=said["use_quant_conv"],
                **options,
                filters=said["block_out_channels"],
                num_blocks=said["layers_per_block"],
            ),
            decoder=described(
                "AutoencoderKLDecoder",
                output_shape=[None, None, said["out_channels"]],
                has_quant_conv=said["use_post_quant_conv"],
                **options,
                filters=said["block_out_channels"][::-1],
                num_blocks=said["layers_per_block"] + 1,
            ),
            likelihood=described("GaussianLikelihood", value_range=list(RANGE)),
            latent_scale=scale,
            latent_shift=shift,
        )

    @staticmethod
    def rows(model_config: Mapping[str, Any]) -> list[Row]:
        """Returns the table of tensor names of a model of this library."""
        parts = model_config["config"]
        encoder, decoder = parts["encoder"]["config"], parts["decoder"]["config"]
        before, after = encoder["has_quant_conv"], decoder["has_quant_conv"]
        return [
            *_encoder_rows(encoder),
            *(conv("quant_conv", "encoder/quant_conv") if before else ()),
            *(conv("post_quant_conv", "decoder/quant_conv") if after else ()),
            *_decoder_rows(decoder),
        ]

    @staticmethod
    def their_config(model_config: Mapping[str, Any]) -> dict[str, Any]:
        """Returns diffusers' `config.json` for a model of this library.

        Raises:
            ValueError: If diffusers has no such model.
        """
        parts = model_config["config"]
        encoder, decoder = parts["encoder"]["config"], parts["decoder"]["config"]
        check_range(parts["likelihood"]["config"].get("value_range"), RANGE, "AutoencoderKL")
        scale, shift = parts.get("latent_scale", 1.0), parts.get("latent_shift", 0.0)
        if isinstance(scale, list | tuple) or isinstance(shift, list | tuple):
            dim = encoder["latent_dim"]
            of_latents = {
                "scaling_factor": 1.0,
                "latents_mean": np.broadcast_to(shift, dim).tolist(),
                "latents_std": (1 / np.broadcast_to(scale, dim)).tolist(),
            }
        else:
            of_latents = {"scaling_factor": scale, "shift_factor": shift or None}
        return {
            "_class_name": "AutoencoderKL",
            **_their_trunk(encoder, decoder),
            "latent_channels": encoder["latent_dim"],
            "use_quant_conv": encoder["has_quant_conv"],
            "use_post_quant_conv": decoder["has_quant_conv"],
            **of_latents,
        }

    @staticmethod
    def constants(model_config: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Returns the weights of this library's model that diffusers' does not have."""
        return {}


class VQModel:
    """`VQModel`, a `VQVAE` of `VQModelEncoder`, `VQModelDecoder` and a `VectorQuantizer`."""

    encoder_class = "VQModelEncoder"

    @staticmethod
    def model_config(config: Mapping[str, Any]) -> dict[str, Any]:
        """Returns this library's config of the model that another library's describes."""
        said = _settings(config, _OF_VQ, {"act_fn": "silu", "norm_type": ("group", None)})
        dim = said["vq_embed_dim"] or said["latent_channels"]
        options = {"latent_dim": dim, "num_channels": said["latent_channels"]}
        options |= _trunk_options(said)
        return described(
            "VQVAE",
            encoder=described(
                "VQModelEncoder",
                input_shape=[None, None, said["in_channels"]],
                **options,
                filters=said["block_out_channels"],
                num_blocks=said["layers_per_block"],
            ),
            decoder=described(
                "VQModelDecoder",
                output_shape=[None, None, said["out_channels"]],
                **options,
                filters=said["block_out_channels"][::-1],
                num_blocks=said["layers_per_block"] + 1,
            ),
            # The first step of fine-tuning must not initialise existing codes again.
            quantizer=described(
                "VectorQuantizer",
                num_embeddings=said["num_vq_embeddings"],
                initialization="uniform",
                update=described("GradientUpdate"),
                revival=None,
            ),
            likelihood=described("GaussianLikelihood", value_range=list(RANGE)),
            latent_scale=said["scaling_factor"],
        )

    @staticmethod
    def rows(model_config: Mapping[str, Any]) -> list[Row]:
        """Returns the table of tensor names of a model of this library."""
        parts = model_config["config"]
        return [
            *_encoder_rows(parts["encoder"]["config"]),
            *conv("quant_conv", "encoder/quant_conv"),
            Row("quantize.embedding.weight", "quantizer/codebook", "same"),
            *conv("post_quant_conv", "decoder/quant_conv"),
            *_decoder_rows(parts["decoder"]["config"]),
        ]

    @staticmethod
    def their_config(model_config: Mapping[str, Any]) -> dict[str, Any]:
        """Returns diffusers' `config.json` for a model of this library.

        Raises:
            ValueError: If diffusers has no such model.
        """
        parts = model_config["config"]
        encoder, quantizer = parts["encoder"]["config"], parts["quantizer"]
        check_range(parts["likelihood"]["config"].get("value_range"), RANGE, "VQModel")
        name, options = quantizer["class_name"], quantizer["config"]
        if name != "VectorQuantizer" or options.get("code_dim") is not None:
            raise ValueError(
                "VQModel looks up the nearest code, without projections. Expected: "
                f"VectorQuantizer(num_embeddings). Received: {name}, with "
                f"code_dim={options.get('code_dim')!r}."
            )
        return {
            "_class_name": "VQModel",
            **_their_trunk(encoder, parts["decoder"]["config"]),
            "latent_channels": encoder["num_channels"],
            "vq_embed_dim": encoder["latent_dim"],
            "num_vq_embeddings": options["num_embeddings"],
            "norm_type": "group",
            "scaling_factor": parts.get("latent_scale", 1.0),
        }

    @staticmethod
    def constants(model_config: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Returns the weights of this library's model that diffusers' does not have."""
        return {"quantizer/is_placed": np.ones((), "float32")}


def renamed(name: str) -> str:
    """Returns the current name of a tensor of `AutoencoderKL` or `VQModel`."""
    start, is_attention, rest = name.partition(".attentions.0.")
    layer, _, last = rest.rpartition(".")
    if is_attention and layer in _OLD_NAMES:
        return f"{start}{is_attention}{_OLD_NAMES[layer]}.{last}"
    return name


def _settings(config, defaults, fixed):
    said = settings(config, defaults, {**fixed, "lookup_from_codebook": (False, True)}, _IGNORED)
    count = len(said["block_out_channels"])
    check_blocks(config, "down_block_types", "DownEncoderBlock2D", count)
    check_blocks(config, "up_block_types", "UpDecoderBlock2D", count)
    return said


def _trunk_options(said):
    return {"num_groups": said["norm_num_groups"], "has_attention": said["mid_block_add_attention"]}


def _scale_and_shift(said):
    """Returns the factor of latents, and the shift that is subtracted from them before."""
    scale, shift = said["scaling_factor"], said["shift_factor"] or 0.0
    mean, std = said["latents_mean"], said["latents_std"]
    if mean is None or std is None:
        return scale, shift
    return (scale / np.asarray(std, "float64")).tolist(), list(mean)


def _their_trunk(encoder, decoder):
    filters, num_blocks = list(encoder["filters"]), encoder["num_blocks"]
    mirrored = {
        "filters": filters[::-1],
        "num_blocks": num_blocks + 1,
        "num_groups": encoder["num_groups"],
        "has_attention": encoder["has_attention"],
        "latent_dim": encoder["latent_dim"],
        "num_parameters": 1,
    }
    found = {k: list(v) if k == "filters" else v for k, v in decoder.items() if k in mirrored}
    if found != mirrored:
        raise ValueError(
            "The decoder must be the mirror image of the encoder, with one more block in each "
            f"stage, to be written in diffusers' layout. Expected: {mirrored}. Received: {found}."
        )
    return {
        "act_fn": "silu",
        "in_channels": encoder["input_shape"][-1],
        "out_channels": decoder["output_shape"][-1],
        "block_out_channels": filters,
        "layers_per_block": num_blocks,
        "norm_num_groups": encoder["num_groups"],
        "mid_block_add_attention": encoder["has_attention"],
        "down_block_types": ["DownEncoderBlock2D"] * len(filters),
        "up_block_types": ["UpDecoderBlock2D"] * len(filters),
    }


def _encoder_rows(options):
    rows = [*conv("encoder.conv_in", "encoder/conv_in"), *_middle_rows("encoder", options)]
    channels = options["filters"][0]
    for i, filters in enumerate(options["filters"]):
        theirs, ours = f"encoder.down_blocks.{i}", f"encoder/stage_{i + 1}"
        for block in range(options["num_blocks"]):
            is_projected, channels = channels != filters, filters
            names = f"{theirs}.resnets.{block}", f"{ours}_block_{block + 1}"
            rows += _block_rows(*names, is_projected)
        if i + 1 < len(options["filters"]):
            rows += conv(f"{theirs}.downsamplers.0.conv", f"{ours}_halving")
    rows += norm("encoder.conv_norm_out", "encoder/norm_out")
    return rows + conv("encoder.conv_out", "encoder/conv_out")


def _decoder_rows(options):
    rows = [*conv("decoder.conv_in", "decoder/conv_in"), *_middle_rows("decoder", options)]
    channels = options["filters"][0]
    for i, filters in enumerate(options["filters"]):
        theirs, ours = f"decoder.up_blocks.{i}", f"decoder/stage_{i + 1}"
        for block in range(options["num_blocks"]):
            is_projected, channels = channels != filters, filters
            names = f"{theirs}.resnets.{block}", f"{ours}_block_{block + 1}"
            rows += _block_rows(*names, is_projected)
        if i + 1 < len(options["filters"]):
            rows += conv(f"{theirs}.upsamplers.0.conv", f"{ours}_doubling")
    rows += norm("decoder.conv_norm_out", "decoder/norm_out")
    return rows + last_conv("decoder.conv_out", "decoder")


def _middle_rows(part, options):
    rows = _block_rows(f"{part}.mid_block.resnets.0", f"{part}/mid_first")
    rows += _block_rows(f"{part}.mid_block.resnets.1", f"{part}/mid_last")
    if options["has_attention"]:
        theirs, ours = f"{part}.mid_block.attentions.0", f"{part}/mid_attention"
        rows += norm(f"{theirs}.group_norm", f"{ours}/norm")
        for name, their_name in _ATTENTION.items():
            rows += dense(f"{theirs}.{their_name}", f"{ours}/{name}")
    return rows


def _block_rows(theirs, ours, is_projected=False):
    return [
        *norm(f"{theirs}.norm1", f"{ours}_norm_in"),
        *conv(f"{theirs}.conv1", f"{ours}_conv_in"),
        *norm(f"{theirs}.norm2", f"{ours}_norm_out"),
        *conv(f"{theirs}.conv2", f"{ours}_conv_out"),
        *(conv(f"{theirs}.conv_shortcut", f"{ours}_shortcut") if is_projected else ()),
    ]
