"""A progress bar on the terminal."""

import sys
import time
from typing import TextIO

_INTERVAL = 0.1


class Bar:
    """Shows progress on a terminal, and nothing elsewhere.

    Args:
        label: String.
        size: Int, the size of the whole file in bytes.
        stream: Text file. Defaults to standard error.
    """

    def __init__(self, label: str, size: int, stream: TextIO | None = None) -> None:
        self._label = label
        self._size = size
        self._stream = sys.stderr if stream is None else stream
        self._is_on = self._stream is not None and self._stream.isatty()
        self._next = 0.0
        self._is_shown = False

    def show(self, num_bytes: int) -> None:
        """Shows that `num_bytes` have been received."""
        now = time.monotonic()
        if self._is_on and (now >= self._next or num_bytes == self._size):
            self._next = now + _INTERVAL
            self._is_shown = True
            done, whole = num_bytes / 1e6, self._size / 1e6
            filled = "#" * (20 * num_bytes // self._size)
            self._stream.write(f"\r{self._label} [{filled:<20}] {done:.1f} of {whole:.1f} MB")
            self._stream.flush()

    def close(self) -> None:
        """Ends the line."""
        if self._is_shown:
            self._stream.write("\n")
            self._stream.flush()
