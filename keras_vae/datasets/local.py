"""Data sets from files and folders."""

import os
from pathlib import Path

from keras_vae.datasets.folder import read_folder
from keras_vae.datasets.npz import read_npz
from keras_vae.datasets.tfds_reader import RawParts

_VARIABLE = "KERAS_VAE_DATA_DIR"


def is_local(name: str | os.PathLike) -> bool:
    """Whether a name is a path: of type Path, an `.npz` file, begun like one, or there.

    A bare word is never a path, so that a folder `mnist` in the working directory does not change
    what `load("mnist")` means.
    """
    if isinstance(name, os.PathLike):
        return True
    path = Path(name)
    begun_like_one = name.startswith((".", "~")) or path.is_absolute()
    return path.suffix == ".npz" or begun_like_one or (len(path.parts) > 1 and path.exists())


def find(name: str | os.PathLike, data_dir: str | os.PathLike | None = None) -> Path:
    """The first place where a path exists: as it is, in `data_dir`, in `KERAS_VAE_DATA_DIR`.

    Raises:
        FileNotFoundError: if there is none; it lists the places.
    """
    path = Path(name).expanduser()
    folders = [Path.cwd(), data_dir, os.environ.get(_VARIABLE)]
    # An absolute path stays what it is whatever folder is put before it.
    places = list(dict.fromkeys(Path(folder, path) for folder in folders if folder))
    for place in places:
        if place.exists():
            return place
    raise FileNotFoundError(
        f"There is no data file or folder {str(name)!r}. Looked at: "
        f"{', '.join(map(str, places))}. Give its full path, or the folder that holds it as "
        f"data_dir=..., or set the environment variable {_VARIABLE} to that folder."
    )


def read_local(path: Path, image_size: tuple[int, int] | None = None) -> RawParts:
    """The raw parts of a file or folder that exists."""
    return (read_folder if path.is_dir() else read_npz)(path, image_size)
