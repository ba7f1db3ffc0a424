"""A file server on the loopback that misbehaves as told, for the tests of fetching.

Every answer is written by hand into the socket, so that it can be wrong in any way. A server serves
few requests and each for a few seconds at most, whatever is asked of it.
"""

import contextlib
import socket
import struct
import threading
import time

MAX_REQUESTS = 300
MAX_SECONDS = 20.0


class Reply:
    """One request, and the socket to answer it into.

    Attributes:
        content: bytes, the true file.
        headers: dict, of the request, names in lower case.
        path: str.
        port: int, of this server.
        start: int, the first byte that `Range` asks for; 0 without one.
    """

    def __init__(self, server, connection):
        self.content = server.content
        self.port = server.port
        self._server = server
        self._connection = connection
        head = self._read_head().decode("latin-1").split("\r\n")
        self.path = head[0].split(" ")[1] if " " in head[0] else ""
        pairs = (line.split(": ", 1) for line in head[1:] if ": " in line)
        self.headers = {name.lower(): value for name, value in pairs}
        asked = self.headers.get("range", "bytes=0-")
        self.start = int(asked.removeprefix("bytes=").split("-")[0])

    def _read_head(self):
        data = b""
        while b"\r\n\r\n" not in data:
            received = self._connection.recv(4096)
            if not received:
                raise ConnectionError("no request")
            data += received
        return data

    def send(self, data):
        """Sends bytes as they are."""
        self._connection.sendall(data)

    def head(self, status, **headers):
        """Sends a status line and headers; `_` in a name stands for `-`."""
        lines = [f"HTTP/1.1 {status}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    def body(self, data):
        """Sends bytes of the body, which the server counts."""
        self._server.count(len(data))  # first: a client with all of them may ask at once
        self.send(data)

    def fine(self, etag='"1"', content=None, upto=None):
        """Answers as a good server does, up to byte `upto` of the file."""
        content = self.content if content is None else content
        size, matches = len(content), self.headers.get("if-range", etag) == etag
        if self.start and matches:
            part = f"bytes {self.start}-{size - 1}/{size}"
            length = size - self.start
            self.head("206 Partial Content", Content_Length=length, Content_Range=part, ETag=etag)
            self.body(content[self.start : upto])
        else:
            self.head("200 OK", Content_Length=size, ETag=etag)
            self.body(content[:upto])

    def reset(self):
        """Breaks the connection off with a TCP reset."""
        linger = struct.pack("ii", 1, 0)
        time.sleep(0.02)  # else what was sent is lost too
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def pause(self, seconds):
        """Waits, but no longer than the server lives."""
        return self._server.stopped.wait(min(seconds, MAX_SECONDS))

    def drip(self, data, seconds):
        """Sends one byte each `seconds`."""
        for i in range(len(data)):
            if self.pause(seconds):
                return
            self.body(data[i : i + 1])


class FaultServer:
    """Serves `content`; the n-th request is answered by `script[n]`, the last one for ever after.

    Args:
        content: bytes.
        script: functions of a `Reply`.

    Attributes:
        url: str, of the file.
        num_bytes: int, bytes of bodies sent.
        requests: list of the `Reply` objects.
    """

    def __init__(self, content, *script):
        self.content = content
        self.script = script
        self.requests = []
        self.num_bytes = 0
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/file"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stopped.set()
        self._socket.close()

    def count(self, num_bytes):
        """Adds to the bytes of bodies sent."""
        with self._lock:
            self.num_bytes += num_bytes

    def _serve(self):
        with contextlib.suppress(OSError):
            for _ in range(MAX_REQUESTS):
                connection, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(MAX_SECONDS)
            reply = Reply(self, connection)
            with self._lock:
                behaviour = self.script[min(len(self.requests), len(self.script) - 1)]
                self.requests.append(reply)
            behaviour(reply)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(1.0)
            connection.recv(1)  # lets the client close first, so that nothing sent is lost
