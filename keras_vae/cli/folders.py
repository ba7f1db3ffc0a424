"""The commands that process folders of pictures: `keras-vae encode`, `decode`, and `reconstruct`
for models of pictures of any size.

Pictures are read one at a time, each with its own height and width. If a command is interrupted,
running it again continues. A picture that cannot be read is reported and skipped.
"""

import functools
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from keras_vae.atomic_files import write_atomically
from keras_vae.cli import conditions
from keras_vae.cli import options
from keras_vae.cli.command import Argument
from keras_vae.cli.command import Command
from keras_vae.cli.resumable import Source
from keras_vae.cli.resumable import finish
from keras_vae.cli.resumable import work_through
from keras_vae.cli.writing import npz_of

_ENDINGS = (".npz", ".safetensors")
_PARTS = ".parts"  # next to the output, with one file for each picture until all are done
_MODES = {1: "L", 3: "RGB"}

tile = options.count(
    "--tile",
    metavar="PIXELS",
    help="Process large pictures in tiles of this height and width (default: in one piece).",
)


@click.command(
    cls=Command,
    examples="""
    keras-vae encode runs/photos ./photographs                              into latents.npz
    keras-vae encode runs/photos ./photographs --output latents.safetensors
    keras-vae encode runs/photos ./photographs --tile 512                   in bounded memory
    """,
    when_interrupted="; the same command goes on from here",
)
@options.preset()
@click.argument("folder", cls=Argument, explanation="A folder of pictures, with its sub-folders.")
@click.option(
    "--output",
    default="latents.npz",
    metavar="FILE",
    help="A .npz or .safetensors file with `latents/PATH` and `sizes/PATH` for each picture "
    "(default: latents.npz).",
)
@tile
def encode(preset: str, folder: str, output: str, tile: int | None) -> None:
    """Encode a folder of pictures to latents, or codes.

    Pictures may differ in size if the preset takes any size.
    """
    if Path(output).suffix not in _ENDINGS:
        raise ValueError(f"--output must end in {' or '.join(_ENDINGS)}. Received: {output}")
    model = _model(preset)
    parts = Path(output + _PARTS)

    def make(pixels):
        latents = _latents(model, pixels, tile)
        return npz_of({"latents": latents, "size": np.array(pixels.shape[:2], "int32")})

    settings = _settings("encode", model, folder, tile)
    made = work_through(_pictures(folder, model), parts, ".npz", make, settings)
    arrays: dict[str, np.ndarray] = {}
    for name, path in made.items():
        with np.load(path) as part:
            arrays |= {f"latents/{name}": part["latents"], f"sizes/{name}": part["size"]}
    write_atomically(output, _packed(output, arrays))
    for path in made.values():
        path.unlink()
    finish(parts)
    _remove_empty(parts)
    print(f"Wrote {output}")


@click.command(
    cls=Command,
    examples="""
    keras-vae decode runs/photos latents.npz                    into the folder decoded
    keras-vae decode runs/photos latents.safetensors --output copies
    """,
    when_interrupted="; the same command goes on from here",
)
@options.preset()
@click.argument("latents", cls=Argument, explanation="A file that `keras-vae encode` wrote.")
@click.option(
    "--output",
    default="decoded",
    metavar="FOLDER",
    help="Folder for the pictures (default: decoded).",
)
@tile
def decode(preset: str, latents: str, output: str, tile: int | None) -> None:
    """Decode latents, or codes, to pictures."""
    model = _model(preset)
    arrays = _read(Path(latents))
    names = [name.removeprefix("latents/") for name in arrays if name.startswith("latents/")]
    if not names or any(f"sizes/{name}" not in arrays for name in names):
        raise ValueError(
            f"{latents} was not written by `keras-vae encode`: it holds no `latents/...`, or one "
            "without its `sizes/...`."
        )

    def read(name):
        return arrays[f"latents/{name}"], arrays[f"sizes/{name}"]

    def make(given):
        values, (height, width) = given
        return _png(_decoded(model, values, tile)[:height, :width])

    sources = {name: Source(Path(latents), functools.partial(read, name)) for name in names}
    settings = _settings("decode", model, latents, tile)
    made = work_through(sources, Path(output), ".png", make, settings)
    finish(Path(output))
    print(f"Wrote {len(made)} pictures to {output}")


def reconstruct_folder(model: Any, folder: str, output: str, tile: int | None) -> None:
    """Writes the reconstruction of each picture of a folder, in its own size, to another folder.

    Args:
        model: A model of pictures of any size.
        folder: Folder of pictures.
        output: Folder, created if it does not exist.
        tile: Integer, in pixels, or `None`.
    """

    def make(pixels):
        return _png(model.reconstruct(pixels[None], tile=tile)[0])

    settings = _settings("reconstruct", model, folder, tile)
    made = work_through(_pictures(folder, model), Path(output), ".png", make, settings)
    finish(Path(output))
    print(f"Wrote {len(made)} pictures to {output}")


def is_folder_of_any_size(model: Any, data: str | None) -> bool:
    """Whether `--data` is a folder, and the model takes pictures of any size."""
    return (
        bool(getattr(model, "is_of_any_size", False)) and data is not None and Path(data).is_dir()
    )


def _model(preset):
    from keras_vae.models import GenerativeModel

    model = GenerativeModel.from_preset(preset)
    if not hasattr(model, "reconstruct") or len(model.data_shape) != 3:
        raise ValueError(f"{preset} is a {type(model).__name__}, which cannot encode pictures.")
    conditions.refuse(preset, getattr(model, "condition", None), "encode(x, condition)")
    return model


def _settings(command, model, source, tile):
    """Returns the settings that the files of a command depend on."""
    return {
        "command": command,
        "weights": model.weights_sha256(),
        "of": str(Path(source).resolve()),
        "tile": tile,
    }


def _pictures(folder, model):
    """Returns `{name: Source}` for pictures (H, W, C), float32 from 0 to 1."""
    from keras_vae.datasets.folder import pictures_in
    from keras_vae.datasets.folder import read_picture

    root = Path(folder)
    if not root.is_dir():
        raise ValueError(f"There is no folder {folder}.")
    channels = model.data_shape[-1]
    if channels not in _MODES:
        raise ValueError(f"Image files have 1 or 3 channels, but this model takes {channels}.")

    def read(path):
        return read_picture(path, _MODES[channels]).astype("float32") / 255

    return {
        path.relative_to(root).as_posix(): Source(path, functools.partial(read, path))
        for path in pictures_in(root)
    }


def _latents(model, pixels, tile):
    """Returns the latents of one picture without noise, or its codes."""
    import keras

    inferred = model.encode(pixels[None], **_tiled(tile))
    latents = inferred.indices if model.encode_gives == "codes" else model.latent_of(inferred)
    return keras.ops.convert_to_numpy(latents)[0]


def _decoded(model, values, tile):
    """Returns the pixels (H, W, C) of one picture's latents or codes."""
    import keras

    if model.encode_gives == "codes":
        return model.decode_indices(values[None])[0]
    distribution = model.decode(values[None], **_tiled(tile))
    return keras.ops.convert_to_numpy(model.likelihood.point(distribution))[0]


def _tiled(tile):
    return {} if tile is None else {"tile": tile}


def _png(pixels):
    from PIL import Image

    levels = np.round(255 * np.clip(pixels, 0, 1)).astype("uint8")
    content = io.BytesIO()
    Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels).save(content, "png")
    return content.getvalue()


def _packed(output, arrays):
    if Path(output).suffix == ".npz":
        return npz_of(arrays)
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def _read(path):
    if path.suffix in _ENDINGS and not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    if path.suffix == ".npz":
        from keras_vae.datasets.npz import read_arrays

        return read_arrays(path, "**{'latents/NAME': ..., 'sizes/NAME': ...}")
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(f"{path} cannot be read as safetensors: {error}.") from error
    raise ValueError(f"A file of latents must end in {' or '.join(_ENDINGS)}. Received: {path}.")


def _remove_empty(folder: Path) -> None:
    for path in [*sorted(_folders_in(folder), reverse=True), folder]:
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _folders_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_dir())
