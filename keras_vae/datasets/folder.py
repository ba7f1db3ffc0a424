"""Raw arrays from folders of images."""

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np

from keras_vae.datasets.tfds_reader import PARTS
from keras_vae.datasets.tfds_reader import RawParts
from keras_vae.datasets.tfds_reader import stack

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
_GREY_MODES = {"1", "L", "LA"}


def read_folder(folder: str | os.PathLike, image_size: tuple[int, int] | None = None) -> RawParts:
    """Returns the images of a folder as `{part: (x, y)}`, in the order of their sorted paths.

    If there are sub-folders `train` and `test` (and optionally `validation`), each is a part;
    otherwise everything is the part "train". The sub-folders of the parts are classes, numbered in
    the sorted order of all their names; a part with an image outside of them has no classes (y is
    None). The images are grayscale if all files are, and RGB otherwise; transparency is dropped.
    Hidden files and folders, whose names begin with a dot, are ignored.

    Raises:
        ValueError: If there are no images, one cannot be read, or sizes differ and `image_size` is
            not given.
        ImportError: If Pillow is not installed.
    """
    folder = Path(folder)
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        parts = {part: folder / part for part in PARTS if (folder / part).is_dir()}
    else:
        parts = {"train": folder}
    paths = {part: pictures_in(root) for part, root in parts.items()}
    mode = _common_mode([path for found in paths.values() for path in found])
    names = {part: _class_names(root, paths[part]) for part, root in parts.items()}
    # A class has one number, whichever parts hold examples of it.
    classes = sorted({name for found in names.values() for name in found or ()})
    return {
        part: (
            stack((read_picture(path, mode) for path in paths[part]), image_size),
            None if found is None else np.searchsorted(classes, found),
        )
        for part, found in names.items()
    }


def picture_sizes(folder: str | os.PathLike) -> set[tuple[int, int]]:
    """Returns the distinct (height, width) of the images in a folder, reading only their headers.

    Raises:
        ValueError: If there are no images, or one cannot be read.
        ImportError: If Pillow is not installed.
    """
    sizes = set()
    for path in pictures_in(Path(folder)):
        with _open(path) as picture:
            sizes.add((picture.height, picture.width))
    return sizes


def pictures_in(root: Path) -> list[Path]:
    """Returns the sorted paths of the image files in a folder and its sub-folders, without hidden
    ones created by other programs, such as `.ipynb_checkpoints` or `._photo.jpg`.

    Raises:
        ValueError: If there are none.
    """
    paths = sorted(
        path
        for path in root.rglob("*")
        if path.suffix.lower() in _SUFFIXES and not _is_hidden(path.relative_to(root))
    )
    if not paths:
        raise ValueError(
            f"{root} holds no images (files ending in {', '.join(sorted(_SUFFIXES))})."
        )
    return paths


def _is_hidden(path):
    return any(part.startswith(".") for part in path.parts)


def _class_names(root, paths):
    """Returns the name of each image's class, or None if an image lies in no sub-folder."""
    names = [path.relative_to(root).parts[0] for path in paths if path.parent != root]
    return names if len(names) == len(paths) else None


def _open(path):
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            'Reading images needs Pillow: pip install "keras-vae[datasets]"'
        ) from error
    try:
        return Image.open(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read as an image: {error}") from error


def _common_mode(paths):
    """Returns Pillow's mode for all images: "L" if every one is grayscale, else "RGB"."""
    for path in paths:
        with _open(path) as picture:
            if picture.mode not in _GREY_MODES:
                return "RGB"
    return "L"


def read_picture(path: Path | BinaryIO, mode: str = "RGB") -> np.ndarray:
    """Returns an image file, given as a path or file object, as uint8 (H, W, C)."""
    with _open(path) as picture:
        try:
            pixels = np.asarray(picture.convert(mode))
        except OSError as error:
            raise ValueError(f"{path} cannot be read as an image: {error}") from error
    return pixels.reshape(*pixels.shape[:2], -1)
