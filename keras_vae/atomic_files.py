"""Files that are written completely or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


def write_atomically(path: str | os.PathLike, data: bytes) -> None:
    """Writes bytes to a file, which then holds either all of them or its previous content.

    Args:
        path: Path of a file, which need not exist; nor need its folder.
        data: Bytes.

    Raises:
        OSError: If the disk is full or the folder is not writable. `path` is left unchanged.
    """
    with written_beside(path, data) as temporary:
        put_in_place(temporary, path)


@contextlib.contextmanager
def written_beside(path: str | os.PathLike, data: bytes) -> Iterator[Path]:
    """Within this context a file with `data` is on disk, ready to replace `path`.

    It is flushed to disk, is in the same folder and hidden (`.<name>.<random>`), and is removed at
    the end if it has not been put in place.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp's 0600 would make a shared preset unreadable to others
        yield Path(temporary)
    finally:
        Path(temporary).unlink(missing_ok=True)


def put_in_place(temporary: str | os.PathLike, path: str | os.PathLike) -> None:
    """Renames a file and, where the system supports it, makes the rename survive a power cut."""
    os.replace(temporary, path)
    if hasattr(os, "O_DIRECTORY"):  # Windows cannot flush a folder
        descriptor = os.open(Path(path).parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
