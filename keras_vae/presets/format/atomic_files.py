"""Files that are there whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


def write_atomically(path: str | os.PathLike, data: bytes) -> None:
    """Writes bytes to `path` so that it holds all of them or what it held before.

    Args:
        path: path of a file, there or not.
        data: bytes.

    Raises:
        OSError: the disk is full, or the folder cannot be written to. `path` is as it was.
    """
    with written_beside(path, data) as temporary:
        put_in_place(temporary, path)


@contextlib.contextmanager
def written_beside(path: str | os.PathLike, data: bytes) -> Iterator[Path]:
    """Within this context a file with `data` lies on the disk, ready to take the place of `path`.

    It is flushed to the disk, in the same folder and hidden (`.<name>.<random>`), and is removed
    at the end if it has not been put in place.
    """
    path = Path(path)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp's 0600 would keep a shared preset from its readers
        yield Path(temporary)
    finally:
        Path(temporary).unlink(missing_ok=True)


def put_in_place(temporary: str | os.PathLike, path: str | os.PathLike) -> None:
    """Renames a file, and makes the name last through a power cut where the system can."""
    os.replace(temporary, path)
    if hasattr(os, "O_DIRECTORY"):  # Windows cannot flush a folder
        descriptor = os.open(Path(path).parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
