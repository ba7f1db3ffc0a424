"""Atomic writing of Keras' file formats: an interrupted save leaves the old file in place."""

import contextlib
import glob
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_vae.atomic_files import put_in_place

_SECONDS_OF_A_SAVE = 3600.0  # longer than any save takes


def save_atomically(save: Callable[[str], Any], path: str | os.PathLike, suffix: str) -> None:
    """Lets `save` write a file next to `path`, and moves it into place once it is complete.

    Args:
        save: Function of the path of a new file.
        path: Path of the file. If it is a link, its target is replaced.
        suffix: End of the name of the new file, such as ".keras".

    Raises:
        OSError: If the disk is full, or the folder cannot be written to. The file is as it was.
    """
    target = Path(os.path.realpath(path))
    _sweep(target, suffix)
    descriptor, temporary = tempfile.mkstemp(suffix, f".{target.name}.", target.parent)
    os.close(descriptor)
    try:
        save(temporary)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp's 0600 would make it unreadable to others
        put_in_place(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _sweep(target, suffix):
    """Removes old files of killed processes; another process may be writing younger ones."""
    for left in target.parent.glob(f".{glob.escape(target.name)}.*{suffix}"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _SECONDS_OF_A_SAVE:
                left.unlink()
