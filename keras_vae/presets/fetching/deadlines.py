"""Deadlines of a response: silence, a trickle or endless headers cause an error, never a hang."""

import functools
import http.client
import io
import socket
import time
from typing import Any

from keras_vae.presets.fetching.settings import Patience
from keras_vae.presets.fetching.settings import Settings


class Pace:
    """The deadlines of one attempt, from its connection to its last byte.

    Each window of `settings.rate_window` seconds must deliver a quota of the body's bytes; the
    first window includes the headers of all redirects. A full quota renews the patience.

    Args:
        settings: `Settings`.
        patience: `Patience` of the whole download.
    """

    def __init__(self, settings: Settings, patience: Patience) -> None:
        self._settings = settings
        self._patience = patience
        self._begin_window()

    def _begin_window(self):
        self._end = time.monotonic() + self._settings.rate_window
        self._num_bytes = 0

    def connecting(self) -> float:
        """Returns the timeout of a connection, in seconds."""
        return min(self._settings.connect_timeout, self._left())

    def waiting(self) -> float:
        """Returns the timeout of the next receive, in seconds."""
        return min(self._settings.stall_timeout, self._left())

    def count(self, num_bytes: int) -> None:
        """Records `num_bytes` received bytes of the body."""
        self._num_bytes += num_bytes
        if self._num_bytes >= self._settings.quota:
            self._patience.renew()
            self._begin_window()

    def _left(self):
        left = min(self._end - time.monotonic(), self._patience.left())
        if left <= 0:
            raise TimeoutError("slower than the minimum rate")
        return left


def paced(
    connection_class: type[http.client.HTTPConnection], pace: Pace
) -> type[http.client.HTTPConnection]:
    """Returns a subclass of an `http.client` connection that enforces a pace.

    It covers every receive, including those of `http.client` for headers and chunk sizes, so that
    none of its loops can wait beyond the deadlines.
    """

    class Paced(connection_class):  # type: ignore[valid-type]
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            self._create_connection = functools.partial(_connected, pace)

        def connect(self) -> None:
            self.timeout = pace.connecting()
            super().connect()

        def response_class(
            self, sock: socket.socket, *arguments: Any, **options: Any
        ) -> http.client.HTTPResponse:
            paced: Any = _PacedSocket(sock, pace)
            return http.client.HTTPResponse(paced, *arguments, **options)

    return Paced


def _connected(pace, address, timeout, source_address=None):
    """Returns a socket, as `socket.create_connection` does, with a separate timeout for each of the
    addresses that a name resolves to."""
    failure: OSError = OSError("a name without an address")
    for *_, place in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
        try:
            return socket.create_connection(place[:2], pace.connecting(), source_address)
        except OSError as error:
            failure = error
    raise failure


class _PacedSocket:
    """The part of a socket that `http.client.HTTPResponse` uses."""

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
