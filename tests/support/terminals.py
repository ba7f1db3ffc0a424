"""A stand-in for the terminal of a person."""

import io


class Terminal(io.StringIO):
    """A stream in memory that says that it is a terminal."""

    def isatty(self):
        return True
