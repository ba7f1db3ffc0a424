"""The folder of fetched files: where it is, and whether what lies in it is right.

`HOME/NAME/REVISION/FILE`, where the revision is a sha256 of the contents: what is there never
changes, and a newer version of the library finds its own files beside those of an older one.
"""

import hashlib
import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the index imports NumPy
    from keras_vae.presets.format.index import Entry

_TRUE = ("1", "true", "yes", "on")


def is_offline() -> bool:
    """Whether `KERAS_VAE_OFFLINE` forbids every connection."""
    return os.environ.get("KERAS_VAE_OFFLINE", "").strip().lower() in _TRUE


def home() -> Path:
    """Returns the folder of fetched files.

    `KERAS_VAE_HOME`, else `keras_vae` in the folder of Keras: `KERAS_HOME`, or `~/.keras`. Never a
    folder that other users write to.
    """
    if own := os.environ.get("KERAS_VAE_HOME"):
        return Path(own).expanduser()
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "keras_vae"


def folder_of(entry: "Entry") -> Path:
    """Returns the folder of a preset's files, whether it is there or not.

    Args:
        entry: `Entry` of the index.
    """
    return home() / entry.name / entry.revision


def holds(path: str | os.PathLike, size: int, sha256: str) -> bool:
    """Whether a file is there and has this size and sha256. All of it is read."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size != size:
                return False
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def set_aside(path: Path) -> Path:
    """Renames a damaged file, in place of one set aside before, and returns its new path."""
    aside = path.with_name(f"{path.name}.damaged")
    os.replace(path, aside)
    return aside


def lock_path(target: Path) -> Path:
    """Returns the path of a file's lock, which stays: to delete it would break the lock."""
    return target.with_name(f".{target.name}.lock")


def sweep(target: Path, keep: Collection[Path] = ()) -> None:
    """Deletes what killed processes left of a file. Called under its lock.

    Args:
        target: `pathlib.Path`.
        keep: paths to leave beside the lock.
    """
    for path in target.parent.glob(f".{target.name}.*"):
        if path not in (lock_path(target), *keep):
            path.unlink(missing_ok=True)
