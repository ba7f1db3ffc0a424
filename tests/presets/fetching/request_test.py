import email.utils
import time

import faults
import pytest
from fault_server import FaultServer

from keras_vae.presets.fetching.deadlines import Pace
from keras_vae.presets.fetching.request import PermanentError
from keras_vae.presets.fetching.request import TemporaryError
from keras_vae.presets.fetching.request import get
from keras_vae.presets.fetching.request import read
from keras_vae.presets.fetching.request import redirected
from keras_vae.presets.fetching.request import retry_after
from keras_vae.presets.fetching.settings import Patience
from keras_vae.presets.fetching.settings import Settings

pytestmark = pytest.mark.one_backend

SETTINGS = Settings(max_redirects=3, connect_timeout=1.0)


def ask(url, **headers):
    return get(url, headers, Pace(SETTINGS, Patience(SETTINGS)), SETTINGS)


@pytest.mark.parametrize(
    "url, location, target",
    [
        ("http://a/x", "/y", "http://a/y"),
        ("http://a/x/y", "z?q=1", "http://a/x/z?q=1"),
        ("http://a/x", "http://b/y", "http://b/y"),
        ("http://a/x", "https://b/y", "https://b/y"),
        ("https://a/x", "https://b/y", "https://b/y"),
        ("https://a/x", "//b/y", "https://b/y"),
    ],
)
def test_redirects_that_are_followed(url, location, target):
    assert redirected(url, location) == target


@pytest.mark.parametrize(
    "url, location",
    [
        ("https://a/x", "http://a/x"),
        ("https://a/x", "HTTP://a/x"),
        ("http://a/x", "file:///etc/passwd"),
        ("https://a/x", "file:///etc/passwd"),
        ("http://a/x", "ftp://a/x"),
        ("http://a/x", "data:,x"),
        ("http://a/x", "javascript:1"),
        ("http://a/x", "http://[half"),
        ("http://a/x", ""),
        ("http://a/x", None),
    ],
)
def test_redirects_that_are_not(url, location):
    with pytest.raises(PermanentError, match="redirect to"):
        redirected(url, location)


def test_three_redirects_are_followed_and_a_fourth_is_not():
    steps = [faults.redirect(f"/{i}") for i in range(3)]
    with FaultServer(b"abc", *steps, faults.fine) as server:
        with ask(server.url) as answer:
            assert read(answer, 10) == b"abc"
        assert [reply.path for reply in server.requests] == ["/file", "/0", "/1", "/2"]
    with (
        FaultServer(b"abc", *steps, faults.redirect("/3"), faults.fine) as server,
        pytest.raises(PermanentError, match="more than 3 redirects"),
    ):
        ask(server.url)


@pytest.mark.parametrize(
    "value, seconds",
    [
        (None, 0),
        ("", 0),
        ("7", 7),
        (" 7 ", 7),
        ("-7", 0),
        ("soon", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 99999999 07:28:00 GMT", 0),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after(value) == seconds


def test_retry_after_a_date():
    value = email.utils.formatdate(time.time() + 100, usegmt=True)
    assert retry_after(value) == pytest.approx(100, abs=2)


@pytest.mark.parametrize(
    "line, kind, pause",
    [
        ("503 Service Unavailable", TemporaryError, 7),
        ("429 Too Many Requests", TemporaryError, 7),
        ("408 Request Timeout", TemporaryError, 7),
        ("404 Not Found", PermanentError, None),
        ("304 Not Modified", PermanentError, None),
        ("600 What", PermanentError, None),
    ],
)
def test_statuses(line, kind, pause):
    with (
        FaultServer(b"abc", faults.status(line, Retry_After="7")) as server,
        pytest.raises(kind, match=f"HTTP {line}") as caught,
    ):
        ask(server.url)
    assert getattr(caught.value, "pause", None) == pause


def test_a_proxy_of_the_environment_is_asked(monkeypatch):
    with FaultServer(b"abc", faults.fine) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with ask("http://weights.invalid/zoo/file") as answer:
            assert read(answer, 10) == b"abc"
        assert proxy.requests[0].path == "http://weights.invalid/zoo/file"


def test_a_server_without_tls_is_no_https_server():
    with FaultServer(b"abc", faults.garbage) as server, pytest.raises(TemporaryError):
        ask(server.url.replace("http:", "https:"))


@pytest.mark.parametrize("url", ["http://a b/x", "http://127.0.0.1:port/x"])
def test_what_is_no_address(url):
    with pytest.raises((PermanentError, TemporaryError)):
        ask(url)
