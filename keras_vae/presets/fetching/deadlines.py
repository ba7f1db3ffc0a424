"""The pace of an answer: silence, dripping and endless headers end in an error, never in a wait."""

import http.client
import io
import time

from keras_vae.presets.fetching.settings import Patience
from keras_vae.presets.fetching.settings import Settings


class Pace:
    """Deadlines of one attempt, from its connection to its last byte.

    A window of `settings.rate_window` seconds must bring a quota of the body's bytes; the first one
    includes the headers, of all redirects. A full quota renews the patience.

    Args:
        settings: `Settings`.
        patience: `Patience` of the whole fetch.
    """

    def __init__(self, settings: Settings, patience: Patience) -> None:
        self._settings = settings
        self._patience = patience
        self._begin_window()

    def _begin_window(self):
        self._end = time.monotonic() + self._settings.rate_window
        self._num_bytes = 0

    def connecting(self) -> float:
        """Returns the seconds that making a connection may take."""
        return min(self._settings.connect_timeout, self._left())

    def waiting(self) -> float:
        """Returns the seconds that receiving the next bytes may take."""
        return min(self._settings.stall_timeout, self._left())

    def count(self, num_bytes: int) -> None:
        """Says that so many bytes of the body have come."""
        self._num_bytes += num_bytes
        if self._num_bytes >= self._settings.quota:
            self._patience.renew()
            self._begin_window()

    def _left(self):
        left = min(self._end - time.monotonic(), self._patience.left())
        if left <= 0:
            raise TimeoutError("slower than the least rate")
        return left


def paced(
    connection_class: type[http.client.HTTPConnection], pace: Pace
) -> type[http.client.HTTPConnection]:
    """Returns a subclass of an `http.client` connection that keeps to a pace.

    Every receive passes here, also those that `http.client` makes for headers and for the sizes of
    chunks, so that no loop of its own can wait beyond the deadlines.
    """

    class Paced(connection_class):  # type: ignore[valid-type]
        def connect(self):
            self.timeout = pace.connecting()
            super().connect()

        def response_class(self, sock, *arguments, **options):
            return http.client.HTTPResponse(_PacedSocket(sock, pace), *arguments, **options)

    return Paced


class _PacedSocket:
    """What `http.client.HTTPResponse` needs of a socket."""

    def __init__(self, sock, pace):
        self._arguments = (sock, pace)

    def makefile(self, mode):
        return io.BufferedReader(_PacedStream(*self._arguments))


class _PacedStream(io.RawIOBase):
    def __init__(self, sock, pace):
        self._sock = sock
        self._pace = pace
        self._stream = sock.makefile("rb", buffering=0)  # keeps the socket open

    def readable(self):
        return True

    def readinto(self, buffer):
        self._sock.settimeout(self._pace.waiting())
        return self._stream.readinto(buffer)

    def close(self):
        self._stream.close()
        super().close()
