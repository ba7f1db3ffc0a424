"""Writing models in the formats of other libraries."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as dump_safetensors

from keras_vae.atomic_files import put_in_place
from keras_vae.atomic_files import written_beside
from keras_vae.presets.format.preset_files import CONFIG
from keras_vae.presets.interchange.reading import CLASSES
from keras_vae.presets.interchange.reading import WEIGHTS


def write_foreign(
    folder: str | os.PathLike, model_config: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Writes a model in diffusers' layout: `config.json` and a file of weights, float32.

    Args:
        folder: Path, created if it does not exist.
        model_config: Dict, the model as Keras serialises it.
        arrays: Dict, name of the weight in this library -> NumPy array.

    Raises:
        ValueError: If diffusers has no such model, or the model has parts that diffusers' would not
            have, such as a learned sigma or a prior. Nothing is written then.
        OSError: If the disk is full, or the folder cannot be written to.
    """
    encoder = model_config["config"].get("encoder") or {}
    kinds = {kind.encoder_class: kind for kind in CLASSES.values()}
    kind = kinds.get(encoder.get("class_name"))
    if kind is None:
        raise ValueError(
            f"diffusers has no model with the encoder {encoder.get('class_name')}. Expected: one "
            f"of {', '.join(sorted(kinds))}, with the decoder that belongs to it. Keep this model "
            "with `save_to_preset`."
        )
    expected = encoder["class_name"].replace("Encoder", "Decoder")
    received = model_config["config"]["decoder"]["class_name"]
    if received != expected:
        raise ValueError(
            f"diffusers has no model with {encoder['class_name']} and another decoder than "
            f"{expected}. Received: {received}. Keep this model with `save_to_preset`."
        )
    config, rows = kind.their_config(model_config), kind.rows(model_config)
    taken = {row.ours for row in rows} | kind.constants(model_config).keys()
    if arrays.keys() - taken:
        raise ValueError(
            f"diffusers' {config['_class_name']} has no place for {sorted(arrays.keys() - taken)}. "
            "Keep this model with `save_to_preset`."
        )
    tensors = {row.theirs: np.asarray(row.to_theirs(arrays[row.ours]), order="C") for row in rows}
    _write(Path(folder), config, dump_safetensors(tensors, metadata={"format": "pt"}))


def _write(folder, config, weights):
    folder.mkdir(parents=True, exist_ok=True)
    text = (json.dumps(config, indent=2, allow_nan=False) + "\n").encode()
    with (
        written_beside(folder / WEIGHTS, weights) as new_weights,
        written_beside(folder / CONFIG, text) as new_config,
    ):
        put_in_place(new_weights, folder / WEIGHTS)
        put_in_place(new_config, folder / CONFIG)
