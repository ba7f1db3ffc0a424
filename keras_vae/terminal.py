"""Whether output goes to an interactive terminal."""

import os
import sys
from typing import Any

_PLAIN = ("", "dumb", "unknown")  # values of TERM for terminals that cannot move the cursor


def is_live(stream: Any = None) -> bool:
    """Returns whether a stream is a terminal on which lines can be redrawn.

    It is not one in a pipe, in a file, if `TERM` is "dumb", or in continuous integration (`CI`),
    whose logs keep every line.

    Args:
        stream: File object, by default the standard output.
    """
    stream = sys.stdout if stream is None else stream
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        return False
    if os.name != "nt" and os.environ.get("TERM", "") in _PLAIN:
        return False
    return stream.isatty()
