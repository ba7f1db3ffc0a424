"""Reading models that other libraries wrote, as configs and weights of this library."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import NamedTuple

import numpy as np

from keras_vae.presets.format import strict_json
from keras_vae.presets.format.preset_files import CONFIG
from keras_vae.presets.format.preset_files import WEIGHTS as OUR_WEIGHTS
from keras_vae.presets.format.tensor_table import read_table
from keras_vae.presets.interchange import latent_diffusion
from keras_vae.presets.interchange import tiny_autoencoder
from keras_vae.presets.interchange.latent_diffusion import AutoencoderKL
from keras_vae.presets.interchange.latent_diffusion import VQModel
from keras_vae.presets.interchange.rows import Row
from keras_vae.presets.interchange.tiny_autoencoder import AutoencoderTiny
from keras_vae.presets.interchange.tiny_autoencoder import NumberedTiny

WEIGHTS = "diffusion_pytorch_model.safetensors"
CLASSES: dict[str, Any] = {k.__name__: k for k in (AutoencoderKL, AutoencoderTiny, VQModel)}
_SUFFIX = ".safetensors"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_BFLOAT16 = np.dtype("<u2")  # NumPy has no such type: the upper half of a float32
_DTYPES = {"F16": np.dtype("<f2"), "BF16": _BFLOAT16, "F32": np.dtype("<f4")}


class Foreign(NamedTuple):
    """A model that another library wrote.

    Attributes:
        path: `pathlib.Path` of the file of weights.
        model_config: Dict, the serialized model of this library, without weights.
        tensors: Dict, name of the weight in this library -> NumPy array, float32.
        rows: List of `Row`, the table of names.
    """

    path: Path
    model_config: dict[str, Any]
    tensors: dict[str, np.ndarray]
    rows: list[Row]

    def check_shapes(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raises `ValueError` if a tensor has another shape than the weight that it is for.

        Args:
            shapes: Dict, name of the weight in this library -> its shape.
        """
        for row in self.rows:
            found, expected = self.tensors[row.ours].shape, shapes.get(row.ours)
            if expected is not None and found != tuple(expected):
                raise ValueError(
                    f"{self.path} does not fit its configuration: the tensor {row.theirs!r} has, "
                    f"with its axes in Keras' order, the shape {found}. Expected: "
                    f"{tuple(expected)}. Nothing was assigned. Fetch both files again."
                )


def is_foreign(path: str | os.PathLike) -> bool:
    """Whether a path is that of a file, or of a folder that another library wrote.

    It is neither if nothing exists there, or a preset of this library does.
    """
    path = Path(path)
    config = path / CONFIG
    try:
        if path.is_file():
            return path.suffix in (_SUFFIX, *_PICKLES)
        if config.is_file():
            is_small = config.stat().st_size <= strict_json.MAX_BYTES
            return is_small and b'"_class_name"' in config.read_bytes()
        files = path.iterdir() if path.is_dir() and not config.exists() else ()
        return any(f.suffix in (_SUFFIX, *_PICKLES) and f.name != OUR_WEIGHTS for f in files)
    except OSError:  # reported when it is read
        return False


def read_foreign(path: str | os.PathLike) -> Foreign:
    """Returns the model that another library wrote.

    Args:
        path: A folder in diffusers' layout, with `config.json` and a file of weights; the latter
            file; or a `.safetensors` file of the tiny autoencoder with its authors' numbering.

    Raises:
        ValueError: If the layout, the class or a setting is not known here, a tensor is missing or
            left over, or the weights are pickled.
    """
    file = _weights_file(Path(path))
    try:
        tensors = _tensors(file)
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}.") from error
    config = _config_beside(file)
    if config is not None:
        kind = _class_of(config, file)
        model_config = kind.model_config(config)
        tensors = {latent_diffusion.renamed(k): v for k, v in tensors.items()}
    elif tiny_autoencoder.is_numbered(list(tensors)):
        kind = NumberedTiny
        shapes = {k: v.shape for k, v in tensors.items()}
        model_config = tiny_autoencoder.config_of_numbered(shapes)
    else:
        raise ValueError(
            f"{file} has no {CONFIG} next to it, and its tensors are in no layout that can be read "
            "without one. Expected: a folder in diffusers' layout, or the tiny autoencoder's "
            f"tensors 'encoder.0.weight', ... Received: {_listed(tensors)}. Original files of "
            "latent diffusion ('first_stage_model....') are converted by "
            "`diffusers.AutoencoderKL.from_single_file(FILE).save_pretrained(FOLDER)`."
        )
    rows = kind.rows(model_config)
    _check_names(rows, tensors, file)
    ours = {row.ours: np.ascontiguousarray(row.to_ours(tensors[row.theirs])) for row in rows}
    return Foreign(file, model_config, ours | kind.constants(model_config), rows)


def _weights_file(path):
    """Returns the file of weights at a path, which must not be a pickle."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    candidates = [f for f in files if f.suffix == _SUFFIX and not f.name.startswith(".")]
    named = [f for f in candidates if f.name == WEIGHTS]
    # A folder may also hold the same weights in half precision.
    whole = [f for f in candidates if ".fp16" not in f.name] or candidates
    found = named or whole
    if len(found) > 1:
        raise ValueError(
            f"The folder {path} holds {len(found)} files of weights. Expected: one, {WEIGHTS}. "
            f"Received: {', '.join(f.name for f in found)}. Give the path of one of them."
        )
    pickles = [f for f in files if f.suffix in _PICKLES]
    if not found and pickles:
        raise ValueError(
            f"{pickles[0]} is a pickle, which runs code of its author as it is read. Expected: a "
            "safetensors file. Convert it where you trust it and have PyTorch: python -c 'import "
            "sys, torch; from safetensors.torch import save_file; save_file({k: v.contiguous() for "
            "k, v in torch.load(sys.argv[1], weights_only=True).items()}, sys.argv[2])' "
            f"{pickles[0].name} {Path(WEIGHTS).name}"
        )
    if not found:
        raise ValueError(f"The folder {path} holds no file of weights. Expected: {WEIGHTS}.")
    return found[0]


def _tensors(path):
    """Returns `{name: NumPy array, float32}` of a safetensors file."""
    if not path.is_file():  # a pipe might not end
        raise ValueError(f"{path} cannot be read: it is not a file.")
    with open(path, "rb") as file:
        num_bytes = os.fstat(file.fileno()).st_size
        try:
            table = read_table(file, num_bytes, _DTYPES)
        except ValueError as error:
            raise ValueError(
                f"{path} is not a safetensors file of weights: {error}. It is damaged, or a pickle "
                "under another name: fetch it again."
            ) from error
        data = np.fromfile(file, "uint8")
    return {name: _as_float32(entry.of(data)) for name, entry in table.items()}


def _as_float32(tensor):
    if tensor.dtype == _BFLOAT16:
        return (tensor.astype("uint32") << 16).view("float32")
    return tensor.astype("float32")


def _config_beside(file):
    path = file.parent / CONFIG
    if not path.is_file():
        return None
    with open(path, "rb") as opened:
        data = opened.read(strict_json.MAX_BYTES + 1)
    try:
        config = strict_json.parse(data)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}. It is damaged: fetch it again.") from (
            error
        )
    return config if isinstance(config, dict) and "_class_name" in config else None


def _class_of(config, file):
    name = config["_class_name"]
    if not isinstance(name, str) or name not in CLASSES:
        raise ValueError(
            f"{file.parent / CONFIG} describes an architecture that keras_vae does not have. "
            f"Expected: one of {', '.join(sorted(CLASSES))}. Received: {str(name)[:100]!r}."
        )
    return CLASSES[name]


def _check_names(rows, tensors, file):
    expected = {row.theirs for row in rows}
    missing, unknown = expected - tensors.keys(), tensors.keys() - expected
    if missing or unknown:
        raise ValueError(
            f"{file} does not hold the tensors of the model that its configuration describes. "
            f"Missing: {_listed(missing)}. Left over: {_listed(unknown)}. Nothing was assigned. "
            "The file is of another architecture, or incomplete."
        )


def _listed(names, limit=4):
    shown = ", ".join(repr(name[:100]) for name in sorted(names)[:limit])
    return f"{shown}, ... ({len(names)})" if len(names) > limit else shown or "none"
