"""Raw arrays from `.npz` files."""

import io
import itertools
import zipfile
from pathlib import Path

import numpy as np

from keras_vae.datasets.folder import read_picture
from keras_vae.datasets.tfds_reader import RawParts
from keras_vae.datasets.tfds_reader import stack

_LAYOUTS = (
    "x_train, x_test (and optionally y_train, y_test, x_validation, y_validation); "
    "one array images or x (and optionally y); or concatenated image files, "
    "jpeg_train, offsets_train (file i is bytes offsets[i] to offsets[i + 1]), likewise for test"
)


def read_npz(path: Path, image_size: tuple[int, int] | None = None) -> RawParts:
    """Returns the arrays of a file as `{part: (x, y)}`; a single array is the part "train".

    With `image_size`, `(height, width)`, the images are resized, and gain a channel axis.

    Raises:
        ValueError: If the file is not an `.npz`, or its keys match none of the layouts of `load`.
    """
    arrays = read_arrays(path, "x_train=..., x_test=...")
    if "x_train" in arrays and "x_test" in arrays:
        return {
            part: (_sized(arrays[f"x_{part}"], image_size), arrays.get(f"y_{part}"))
            for part in ("train", "validation", "test")
            if f"x_{part}" in arrays
        }
    if "jpeg_train" in arrays and "jpeg_test" in arrays:
        return {
            part: (_decoded(arrays, part, image_size), arrays.get(f"y_{part}"))
            for part in ("train", "validation", "test")
            if f"jpeg_{part}" in arrays
        }
    for key in ("images", "x"):
        if key in arrays:
            return {"train": (_sized(arrays[key], image_size), arrays.get("y"))}
    raise ValueError(
        f"{path} has none of the supported layouts: {_LAYOUTS}. "
        f"Received: {', '.join(arrays) or 'no arrays'}"
    )


def read_arrays(path: Path, example: str) -> dict[str, np.ndarray]:
    """Returns the arrays of a file by name.

    Args:
        path: Path of an `.npz` file.
        example: The arguments of `np.savez_compressed` that write such a file, for the error.

    Raises:
        ValueError: If the file is not an `.npz`, or holds Python objects.
    """
    try:
        # No pickles: a data file must not be able to run code.
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    # The error that NumPy raises for a broken file depends on where it is broken.
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read as an .npz file of plain arrays: {_cause(path, error)}. "
            f"Write one with np.savez_compressed(path, {example})."
        ) from error


def _cause(path, error):
    """Returns what is wrong with a file. NumPy's own message suggests that pickles be allowed."""
    if not zipfile.is_zipfile(path):
        return "it is not an archive of arrays, or it is incomplete"
    if "allow_pickle" in str(error):
        return "an array holds Python objects, which could run code when they are read"
    return str(error).rstrip(".")


def _sized(x, image_size):
    if image_size is None:
        return x
    return stack(x[..., None] if x.ndim == 3 else x, image_size)


def _decoded(arrays, part, image_size):
    content, offsets = arrays[f"jpeg_{part}"].tobytes(), arrays[f"offsets_{part}"]
    files = (io.BytesIO(content[a:b]) for a, b in itertools.pairwise(offsets))
    return stack((read_picture(file) for file in files), image_size)
