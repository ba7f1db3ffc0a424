"""The partial file of a download."""

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from keras_vae.atomic_files import put_in_place
from keras_vae.presets.format.regular_files import open_to_append

_BLOCK = 1 << 20


class Part:
    """A temporary file next to its target, with its running sha256.

    It continues a partial file that another process left. Use it under the target's lock.

    Args:
        target: `pathlib.Path`.
        size: Int, the size of the whole file in bytes.
    """

    def __init__(self, target: Path, size: int) -> None:
        self.path = path_of(target)
        self.size = size
        self._target = target
        self._file = open_to_append(self.path)  # closed by `__exit__`
        self._sha256 = hashlib.sha256()
        self._file.seek(0)
        while block := self._file.read(_BLOCK):
            self._sha256.update(block)
        self.length = self.best = self._file.tell()
        # The mirrors that the bytes came from; None stands for another process.
        self.sources: set[str | None] = {None} if self.length else set()
        self.may_mix = True  # whether bytes of several mirrors may be combined
        self.etags: dict[str, str | None] = {}
        if self.length > size:
            self.restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        if self.path.exists() and not self.length:
            self.path.unlink()

    def write(self, data: bytes) -> None:
        """Appends bytes."""
        self._file.write(data)
        self._sha256.update(data)
        self.length += len(data)
        self.best = max(self.best, self.length)

    def restart(self) -> None:
        """Discards the received bytes."""
        self._file.seek(0)
        self._file.truncate()
        self._sha256 = hashlib.sha256()
        self.length = 0
        self.sources = set()

    def may_continue_from(self, url: str) -> bool:
        """Returns whether bytes from `url` may follow the existing ones."""
        return self.may_mix or self.sources == {url}

    def flush(self) -> None:
        """Flushes to the system, so that the download can resume after a kill or a failure."""
        self._file.flush()

    def finish(self, sha256: str) -> bool:
        """Moves a complete file with this sha256 to its target, and returns whether it did."""
        if self.length != self.size or self._sha256.hexdigest() != sha256:
            return False
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        put_in_place(self.path, self._target)
        return True


def path_of(target: Path) -> Path:
    """Returns the path of a target's partial file."""
    return target.with_name(f".{target.name}.part")
