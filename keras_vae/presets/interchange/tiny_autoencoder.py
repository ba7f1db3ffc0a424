"""The tiny autoencoder, in diffusers' layout and in the numbered one of its authors."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_vae.presets.interchange.configs import check_range
from keras_vae.presets.interchange.configs import described
from keras_vae.presets.interchange.configs import settings
from keras_vae.presets.interchange.rows import Row
from keras_vae.presets.interchange.rows import conv
from keras_vae.presets.interchange.rows import last_conv
from keras_vae.presets.interchange.rows import norm

RANGE = (0.0, 1.0)
_DEFAULTS: dict[str, Any] = {
    "in_channels": 3,
    "out_channels": 3,
    "latent_channels": 4,
    "encoder_block_out_channels": [64, 64, 64, 64],
    "decoder_block_out_channels": [64, 64, 64, 64],
    "num_encoder_blocks": [1, 3, 3, 3],
    "num_decoder_blocks": [3, 3, 3, 1],
    "scaling_factor": 1.0,
    "shift_factor": 0.0,
}
_FIXED = {
    "act_fn": "relu",
    "upsample_fn": ("nearest", None),
    "upsampling_scaling_factor": 2,
}
# The last repeats the decoder's setting.
_IGNORED = ("latent_magnitude", "latent_shift", "force_upcast", "block_out_channels")
_NUMBERED = re.compile(r"(encoder|decoder)\.\d+\..*")


class AutoencoderTiny:
    """`AutoencoderTiny`, an `Autoencoder` of `TinyEncoder` and `TinyDecoder`."""

    encoder_class = "TinyEncoder"

    @staticmethod
    def model_config(config: Mapping[str, Any]) -> dict[str, Any]:
        """Returns this library's config of the model that diffusers' describes."""
        said = settings(config, _DEFAULTS, _FIXED, _IGNORED)
        of_stages = {*said["encoder_block_out_channels"], *said["decoder_block_out_channels"]}
        if len(of_stages) != 1:
            raise ValueError(
                "The stages of an AutoencoderTiny must all have the same number of channels. "
                f"Received: encoder_block_out_channels={said['encoder_block_out_channels']!r}, "
                f"decoder_block_out_channels={said['decoder_block_out_channels']!r}."
            )
        return _model_config(
            {"latent_dim": said["latent_channels"], "num_channels": of_stages.pop()},
            (said["in_channels"], said["out_channels"]),
            (said["num_encoder_blocks"], said["num_decoder_blocks"]),
            latent_scale=said["scaling_factor"],
            latent_shift=said["shift_factor"],
        )

    @staticmethod
    def rows(model_config: Mapping[str, Any]) -> list[Row]:
        """Returns the table of tensor names of a model of this library, in diffusers' layout."""
        # diffusers has the clamp outside of the decoder's list of layers.
        return _rows(model_config, "encoder.layers", "decoder.layers", first=0)

    @staticmethod
    def their_config(model_config: Mapping[str, Any]) -> dict[str, Any]:
        """Returns diffusers' `config.json` for a model of this library.

        Raises:
            ValueError: If diffusers has no such model.
        """
        parts = model_config["config"]
        encoder, decoder = parts["encoder"]["config"], parts["decoder"]["config"]
        check_range(parts["likelihood"]["config"].get("value_range"), RANGE, "AutoencoderTiny")
        both = ("latent_dim", "num_channels", "activation", "has_norm")
        found = {k: (encoder.get(k), decoder.get(k)) for k in both}
        kinds = encoder["num_outputs"], decoder["num_parameters"]
        if any(a != b for a, b in found.values()) or kinds != (1, 1) or encoder["has_norm"]:
            raise ValueError(
                "diffusers' AutoencoderTiny has one output z, no group norms, and the same "
                f"channels on both sides. Received: {found}, num_outputs={kinds[0]}, "
                f"num_parameters={kinds[1]}. Keep this model with `save_to_preset`."
            )
        num_blocks = list(encoder["num_blocks"]), list(decoder["num_blocks"])
        channels = encoder["num_channels"]
        return {
            "_class_name": "AutoencoderTiny",
            "act_fn": encoder["activation"],
            "in_channels": encoder["input_shape"][-1],
            "out_channels": decoder["output_shape"][-1],
            "latent_channels": encoder["latent_dim"],
            "encoder_block_out_channels": [channels] * len(num_blocks[0]),
            "decoder_block_out_channels": [channels] * len(num_blocks[1]),
            "num_encoder_blocks": num_blocks[0],
            "num_decoder_blocks": num_blocks[1],
            "scaling_factor": parts.get("latent_scale", 1.0),
            "shift_factor": parts.get("latent_shift", 0.0),
        }

    @staticmethod
    def constants(model_config: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Returns the weights of this library's model that diffusers' does not have."""
        return {}


class NumberedTiny(AutoencoderTiny):
    """The tiny autoencoder as its authors publish it, with tensors numbered by `nn.Sequential`."""

    @staticmethod
    def rows(model_config: Mapping[str, Any]) -> list[Row]:
        """Returns the table of tensor names of a model of this library, in the authors' layout."""
        return _rows(model_config, "encoder", "decoder", first=1)


def is_numbered(names: list[str]) -> bool:
    """Whether all tensors of a file have the names of the tiny autoencoder's authors."""
    return bool(names) and all(_NUMBERED.fullmatch(name) for name in names)


def config_of_numbered(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """Returns this library's config of the model in a file of numbered tensors.

    Args:
        shapes: Dict, tensor name -> shape.

    Raises:
        ValueError: If the first or the last convolution of a network is missing.
    """
    ends = ("encoder.0.weight", "encoder.14.weight", "decoder.19.weight")
    kernels = [shapes.get(name, ()) for name in ends]
    if any(len(kernel) != 4 for kernel in kernels):
        raise ValueError(
            "The tensors are numbered as those of the tiny autoencoder, and its first and last "
            f"convolutions are missing. Expected: {', '.join(ends)}, with four axes each. "
            f"Received: shapes {', '.join(map(str, kernels))}."
        )
    first, last, output = kernels
    options = {"latent_dim": last[0], "num_channels": first[0]}
    options["has_norm"] = any(".pool." in name for name in shapes)
    blocks = _DEFAULTS["num_encoder_blocks"], _DEFAULTS["num_decoder_blocks"]
    return _model_config(options, (first[1], output[0]), blocks)


def _model_config(options, channels, num_blocks, **of_latents):
    encoder = {"input_shape": [None, None, channels[0]], "num_blocks": list(num_blocks[0])}
    decoder = {"output_shape": [None, None, channels[1]], "num_blocks": list(num_blocks[1])}
    return described(
        "Autoencoder",
        encoder=described("TinyEncoder", **encoder, **options),
        decoder=described("TinyDecoder", **decoder, **options),
        likelihood=described("GaussianLikelihood", value_range=list(RANGE)),
        **of_latents,
    )


def _rows(model_config, encoder_name, decoder_name, first):
    parts = model_config["config"]
    encoder, decoder = parts["encoder"]["config"], parts["decoder"]["config"]
    blocks = encoder["num_blocks"]
    number, rows = 0, []
    for stage, count in enumerate(blocks, start=1):
        is_first = stage == 1
        ours = "encoder/conv_in" if is_first else f"encoder/stage_{stage}_halving"
        rows += conv(f"{encoder_name}.{number}", ours, has_bias=is_first)
        has_norm = encoder.get("has_norm", False) and stage == len(blocks)
        for block in range(1, count + 1):
            names = f"{encoder_name}.{number + block}", f"encoder/stage_{stage}_block_{block}"
            rows += _block_rows(*names, has_norm)
        number += count + 1
    rows += conv(f"{encoder_name}.{number}", "encoder/z")
    rows += conv(f"{decoder_name}.{first}", "decoder/conv_in")
    number = first + 2  # activations and upsamplings are numbered too
    blocks = decoder["num_blocks"]
    for stage, count in enumerate(blocks, start=1):
        has_norm = decoder.get("has_norm", False) and stage == 1
        for block in range(1, count + 1):
            names = f"{decoder_name}.{number + block - 1}", f"decoder/stage_{stage}_block_{block}"
            rows += _block_rows(*names, has_norm)
        number += count
        if stage < len(blocks):
            name = f"{decoder_name}.{number + 1}"
            rows += conv(name, f"decoder/stage_{stage}_doubling", has_bias=False)
            number += 2
    return rows + last_conv(f"{decoder_name}.{number}", "decoder")


def _block_rows(theirs, ours, has_norm):
    rows = conv(f"{theirs}.conv.0", f"{ours}_conv_first")
    rows += conv(f"{theirs}.conv.2", f"{ours}_conv_second")
    rows += conv(f"{theirs}.conv.4", f"{ours}_conv_third")
    if has_norm:
        rows += conv(f"{theirs}.pool.0", f"{ours}_pool_in", has_bias=False)
        rows += norm(f"{theirs}.pool.1", f"{ours}_pool_norm")
        rows += conv(f"{theirs}.pool.3", f"{ours}_pool_out", has_bias=False)
    return rows
