import base64

import faults
import pytest
from fault_server import FaultServer
from fetching import CONTENT
from fetching import assert_right
from fetching import get

from keras_vae.presets.fetching import credentials
from keras_vae.presets.fetching.fetch import FetchError

pytestmark = pytest.mark.one_backend

SECRET = "user:pass%40word"
HEADER = f"Basic {base64.b64encode(b'user:pass@word').decode()}"


def with_secret(server):
    return server.url.replace("://", f"://{SECRET}@")


def test_an_address_is_split():
    assert credentials.split("https://host:8000/zoo?a=b") == ("https://host:8000/zoo?a=b", {})
    bare, headers = credentials.split(f"https://{SECRET}@host:8000/zoo")
    assert bare == "https://host:8000/zoo"
    assert headers == {"Authorization": HEADER}


@pytest.mark.parametrize(
    "text, shown",
    [
        ("https://user:password@host/zoo: HTTP 404", "https://***@host/zoo: HTTP 404"),
        ("https://user@host/zoo", "https://***@host/zoo"),
        ("http://user:pass/w@rd@host/zoo", "http://***@host/zoo"),
        ("https://host/zoo?token=1&b=2 failed", "https://host/zoo?token=***&b=*** failed"),
        ("https://host/zoo", "https://host/zoo"),
        ("me@host", "me@host"),
    ],
)
def test_what_is_shown(text, shown):
    assert credentials.masked(text) == shown


@pytest.mark.parametrize(
    "url, target, expected",
    [
        ("http://a/x", "http://a/y", True),
        ("http://a/x", "http://a:80/y", True),
        ("http://a/x", "https://a/y", True),
        ("http://a:8000/x", "https://a/y", False),
        ("http://a/x", "http://a:8000/y", False),
        ("http://a/x", "http://b/y", False),
        ("https://a/x", "https://b.a/y", False),
    ],
)
def test_where_they_may_go_on_to(url, target, expected):
    assert credentials.may_go_on(url, target) is expected


def test_they_are_sent_as_basic_authentication(tmp_path):
    def protected(reply):
        is_known = reply.headers.get("authorization") == HEADER
        (faults.fine if is_known else faults.status("401 Unauthorized"))(reply)

    with FaultServer(CONTENT, faults.half_then_reset, protected) as server:
        get(tmp_path / "model.safetensors", with_secret(server))
    assert_right(tmp_path / "model.safetensors")


def test_they_stay_with_their_host(tmp_path):
    with (
        FaultServer(CONTENT, faults.fine) as other,
        FaultServer(CONTENT, faults.redirect("/moved"), faults.redirect(other.url)) as server,
    ):
        get(tmp_path / "model.safetensors", with_secret(server))
        assert [r.headers.get("authorization") for r in server.requests] == [HEADER] * 2
        assert [r.headers.get("authorization") for r in other.requests] == [None]


@pytest.mark.parametrize("fault", ["404", "401", "redirect to file:", "captive portal", "garbage"])
def test_no_message_shows_them(fault, tmp_path):
    behaviour = {**faults.TEMPORARY, **faults.PERMANENT}[fault]
    with FaultServer(CONTENT, behaviour) as server, pytest.raises(FetchError) as caught:
        get(tmp_path / "model.safetensors", f"{with_secret(server)}?token=s3cr3t")
    assert "***@127.0.0.1" in str(caught.value)
    for secret in ("user", "word", "s3cr3t"):
        assert secret not in str(caught.value)


def test_nor_that_of_a_redirect(tmp_path):
    elsewhere = faults.redirect("ftp://user:password@127.0.0.1/x")
    with FaultServer(CONTENT, elsewhere) as server, pytest.raises(FetchError) as caught:
        get(tmp_path / "model.safetensors", server)
    assert "ftp://***@127.0.0.1/x" in str(caught.value)
