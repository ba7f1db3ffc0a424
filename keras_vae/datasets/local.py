"""Data sets from files and folders."""

import os
from pathlib import Path

from keras_vae.datasets.folder import read_folder
from keras_vae.datasets.npz import read_npz
from keras_vae.datasets.tfds_reader import RawParts

_VARIABLE = "KERAS_VAE_DATA_DIR"


def is_local(name: str | os.PathLike) -> bool:
    """Returns whether a name is a path: of type Path, an `.npz` file, path-like, or existing.

    A bare word is never a path, so that a folder `mnist` in the working directory does not change
    the meaning of `load("mnist")`.
    """
    if isinstance(name, os.PathLike):
        return True
    path = Path(name)
    begun_like_one = name.startswith((".", "~")) or path.is_absolute()
    return path.suffix == ".npz" or begun_like_one or (len(path.parts) > 1 and path.exists())


def find(name: str | os.PathLike, data_dir: str | os.PathLike | None = None) -> Path:
    """Returns the first place where a path exists: as is, in `data_dir`, in `KERAS_VAE_DATA_DIR`.

    Raises:
        FileNotFoundError: If there is none. The message lists the places searched.
    """
    path = Path(name).expanduser()
    folders = [Path.cwd(), data_dir, os.environ.get(_VARIABLE)]
    # Joining a folder and an absolute path gives the absolute path.
    places = list(dict.fromkeys(Path(folder, path) for folder in folders if folder))
    for place in places:
        if place.exists():
            return place
    raise FileNotFoundError(
        f"There is no data file or folder {str(name)!r}. Searched: "
        f"{', '.join(map(str, places))}. Pass its full path, or the folder that contains it as "
        f"`data_dir`, or set the environment variable {_VARIABLE} to that folder."
    )


def read_local(path: Path, image_size: tuple[int, int] | None = None) -> RawParts:
    """Returns the raw parts of an existing file or folder."""
    return (read_folder if path.is_dir() else read_npz)(path, image_size)
