"""The local web server of the explorer: one page, and the model's answers as JSON."""

import hmac
import http.server
import json
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_vae.explorer.explorer import Explorer

HOST = "127.0.0.1"
_PAGE = Path(__file__).with_name("page")
_FILES = {
    "": ("index.html", "text/html; charset=utf-8"),
    "style.css": ("style.css", "text/css; charset=utf-8"),
    "explorer.js": ("explorer.js", "text/javascript; charset=utf-8"),
}
_SAFETY = {
    # The page loads and sends nothing elsewhere, whatever the name of a model contains.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; "
    "form-action 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
# Question -> the entries that it takes.
_QUESTIONS: dict[str, tuple[str, ...]] = {
    "describe": (),
    "example": ("number",),
    "sample": ("label",),
    "decode": ("z", "label"),
    "decode_codes": ("codes", "label"),
    "encode": ("picture", "label"),
    "walk": ("first", "second", "how", "label"),
}


class ExplorerServer(http.server.ThreadingHTTPServer):
    """Serves the page of a model to this machine only.

    It listens on 127.0.0.1. Every address begins with a random token that is new for each server,
    so that others who do not know it, such as pages of other sites, cannot reach the model.
    Questions are answered one at a time.

    Args:
        explorer: `Explorer`.
        port: Integer, or 0 for any free port.

    Raises:
        OSError: If the port is in use.

    Example:

    ```python
    server = ExplorerServer(Explorer(vae))
    print(server.url)
    server.serve_forever()
    ```
    """

    daemon_threads = True

    def __init__(self, explorer: Explorer, port: int = 0) -> None:
        self.explorer, self.token = explorer, secrets.token_urlsafe(16)
        self.asking = threading.Lock()
        # Two pictures, with room for 8 characters per value, and 1 MB for everything else.
        values = int(np.prod(explorer.model.data_shape))
        self.largest_body = 2 * 8 * values + 1_000_000
        super().__init__((HOST, port), _Handler)

    @property
    def url(self) -> str:
        """The address of the page, with the token."""
        return f"http://{HOST}:{self.server_address[1]}/{self.token}/"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: ExplorerServer
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds that a silent connection is kept

    def do_GET(self):
        name = self._name()
        if name is None:
            return
        if name not in _FILES:
            self._answer(404, {"error": "There is no such page."})
            return
        file, kind = _FILES[name]
        self._send(200, kind, (_PAGE / file).read_bytes())

    def do_POST(self):
        name = self._name()
        if name is None:
            return
        try:
            entries = self._entries()
            if name not in _QUESTIONS:
                self._answer(404, {"error": "There is no such request."})
                return
            known = {k: entries[k] for k in _QUESTIONS[name] if k in entries}
            ask: Callable[..., Any] = getattr(self.server.explorer, name)
            with self.server.asking:
                found = ask(**known)
            self._answer(200, found)
        except (ValueError, TypeError) as error:  # TypeError: an entry is missing
            self._answer(400, {"error": str(error)})

    def log_message(self, format, *args):
        """Logs nothing: every move of a slider would print a line."""

    def _name(self):
        """The path after the token. If access is not allowed, sends an error and returns None."""
        _, token, *rest = [*self.path.split("?")[0].split("/"), ""]
        # The names of this server. Any other host name belongs to another site whose name was made
        # to point here (DNS rebinding).
        port = self.server.server_address[1]
        is_ours = self.headers.get("Host") in (f"{HOST}:{port}", f"localhost:{port}")
        if not is_ours or not hmac.compare_digest(token.encode(), self.server.token.encode()):
            self.close_connection = True  # the rest of the request is not read
            self._answer(
                403,
                {"error": "The address is not the one that `keras-vae explore` printed."},
            )
            return None
        return "/".join(rest).rstrip("/")

    def _entries(self):
        """The entries of a question, JSON."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > self.server.largest_body:
            self.close_connection = True
            raise ValueError(
                f"A request must have at most {self.server.largest_body} bytes. Received: "
                f"{length or 'no length'}."
            )
        try:
            entries = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise ValueError("A request must be JSON.") from error
        if not isinstance(entries, dict):
            raise ValueError("A request must be a JSON object.")
        return entries

    def _answer(self, status, content):
        self._send(status, "application/json", json.dumps(content).encode())

    def _send(self, status, kind, body):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": len(body), **_SAFETY}.items():
            self.send_header(name, str(value))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
