"""Files of Keras' own formats that a kill, or a full disk, leaves as they were."""

import contextlib
import glob
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_vae.atomic_files import put_in_place

_SECONDS_OF_A_SAVE = 3600.0  # longer than any takes


def save_atomically(save: Callable[[str], Any], path: str | os.PathLike, suffix: str) -> None:
    """Has `save` write a file beside `path`, and puts it in place once it is whole.

    Args:
        save: function of the path of a new file.
        path: of the file; where it is a link, what that leads to is replaced.
        suffix: end of the name of the new file, such as ".keras".

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
    """Removes what killed processes left; what is younger another one may be writing."""
    for left in target.parent.glob(f".{glob.escape(target.name)}.*{suffix}"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _SECONDS_OF_A_SAVE:
                left.unlink()
