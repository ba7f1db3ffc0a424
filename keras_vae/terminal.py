"""Whether somebody looks at the output while it is written."""

import os
import sys
from typing import Any

_PLAIN = ("", "dumb", "unknown")  # values of TERM, of terminals that move no cursor


def is_live(stream: Any = None) -> bool:
    """Returns whether a stream is a terminal on which lines can be drawn again.

    It is none in a pipe, in a file, where `TERM` is "dumb", nor in continuous integration (`CI`),
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
