"""Files of Keras' own formats that a kill, or a full disk, leaves as they were."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_vae.presets.format.atomic_files import put_in_place


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
