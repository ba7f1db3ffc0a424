"""The cache of downloaded files: where it is, and whether its files are intact.

Files are at `HOME/NAME/REVISION/FILE`. The revision is a sha256 of the contents, so that files
never change, and several versions of the library can share a cache.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from keras_vae.presets.format import regular_files

if TYPE_CHECKING:  # the index imports NumPy
    from keras_vae.presets.format.index import Entry

_TRUE = ("1", "true", "yes", "on")


def is_offline() -> bool:
    """Returns whether `KERAS_VAE_OFFLINE` forbids every connection."""
    return os.environ.get("KERAS_VAE_OFFLINE", "").strip().lower() in _TRUE


def home() -> Path:
    """Returns the folder of downloaded files.

    This is `KERAS_VAE_HOME`, or else `keras_vae` in the folder of Keras: `KERAS_HOME`, or
    `~/.keras`. The default is never a folder shared with other users.
    """
    if own := os.environ.get("KERAS_VAE_HOME"):
        return Path(own).expanduser()
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "keras_vae"


def folder_of(entry: "Entry") -> Path:
    """Returns the folder of a preset's files, which need not exist.

    Args:
        entry: `Entry` of the index.
    """
    return home() / entry.name / entry.revision


def holds(path: str | os.PathLike, size: int, sha256: str) -> bool:
    """Returns whether a file of the cache exists with this size and sha256. Reads all of it.

    Other users may be able to write to a shared cache. Links and pipes there do not count as files.
    """
    return regular_files.holds(path, size, sha256, follow_links=False)


def check_folder(folder: Path) -> None:
    """Checks that the path of a folder in the cache contains no link that someone put there.

    The cache itself may be a link: its owner decides where it is.

    Raises:
        OSError: If it does.
    """
    for place in (folder, *folder.parents):
        if place == home():
            return
        if place.is_symlink():
            raise OSError(
                f"{place} is a symbolic link, and links in the cache are not followed. Remove it, "
                "or set KERAS_VAE_HOME to a folder that only you can write to."
            )


def set_aside(path: Path) -> Path:
    """Renames a damaged file, replacing any set aside before, and returns its new path."""
    aside = path.with_name(f"{path.name}.damaged")
    os.replace(path, aside)
    return aside


def lock_at(path: Path, timeout: float) -> filelock.BaseFileLock:
    """Returns a lock, to be held in a `with` statement.

    Args:
        path: See `lock_path`.
        timeout: Float, in seconds.

    Raises:
        OSError: If the path of the lock is something other than a file.
    """
    if os.path.lexists(path) and not regular_files.is_regular(path):
        raise OSError(f"{path}, the place of a lock, holds a link or a pipe. Remove it.")
    return filelock.FileLock(path, timeout=timeout)


def lock_path(target: Path) -> Path:
    """Returns the path of a file's lock, which is never deleted, as that would break the lock."""
    return target.with_name(f".{target.name}.lock")


def sweep(target: Path, keep: Collection[Path] = ()) -> None:
    """Deletes the temporary files that killed processes left. Call it under the file's lock.

    Args:
        target: `pathlib.Path` of the file.
        keep: Paths to keep besides the lock.
    """
    for path in target.parent.glob(f".{target.name}.*"):
        if path not in (lock_path(target), *keep):
            path.unlink(missing_ok=True)
