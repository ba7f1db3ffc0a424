"""Safe reading of files in folders that others can write to: no pipes, and optionally no links."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Opening a pipe would wait for a writer. Windows neither has nor needs these flags.
_PLAIN = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


@contextlib.contextmanager
def opened(path: str | os.PathLike, follow_links: bool = True) -> Iterator[tuple[Any, int]]:
    """Opens a regular file for reading, without ever waiting; yields it and its size.

    Args:
        path: Path of the file.
        follow_links: Bool, whether the path may be a symbolic link to a file. Set it to false in a
            folder that others can write to.

    Raises:
        OSError: If it cannot be opened, or is not a regular file.
    """
    flags = os.O_RDONLY | _PLAIN | (0 if follow_links else _NO_LINK)
    with open(os.open(path, flags), "rb") as file:
        yield file, _checked(path, file.fileno()).st_size


def open_to_append(path: Path) -> Any:
    """Opens a regular file for reading and appending, and creates it if necessary.

    A link or a pipe in its place is replaced.

    Raises:
        OSError: If it cannot be opened or created.
    """
    if os.path.lexists(path) and not is_regular(path):
        path.unlink()
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | _PLAIN | _NO_LINK
    descriptor = os.open(path, flags, 0o666)
    try:
        _checked(path, descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return open(descriptor, "a+b")


def is_regular(path: str | os.PathLike) -> bool:
    """Returns whether a path is that of a regular file, not of a link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def size_of(path: str | os.PathLike, follow_links: bool = True) -> int | None:
    """Returns the size of a regular file, or `None` if it is not one. See `opened`."""
    try:
        status = os.stat(path, follow_symlinks=follow_links)
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def holds(path: str | os.PathLike, size: int, sha256: str, follow_links: bool = True) -> bool:
    """Returns whether a file exists with this size and sha256. Reads all of it. See `opened`."""
    try:
        with opened(path, follow_links) as (file, found):
            return found == size and hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _checked(path, descriptor):
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "it is not a file", str(path))
    return status
