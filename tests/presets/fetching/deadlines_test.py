import http.client
import socket
import threading
import time

import pytest

from keras_vae.presets.fetching.deadlines import Pace
from keras_vae.presets.fetching.deadlines import paced
from keras_vae.presets.fetching.settings import Patience
from keras_vae.presets.fetching.settings import Settings

pytestmark = pytest.mark.one_backend

SETTINGS = Settings(
    connect_timeout=0.3, stall_timeout=0.2, rate_window=0.1, min_rate=1000.0, patience=5.0
)


@pytest.fixture
def patience():
    return Patience(SETTINGS)


def test_no_step_may_take_longer_than_the_window_and_the_patience(patience):
    pace = Pace(SETTINGS, patience)
    assert 0 < pace.waiting() <= 0.1
    assert 0 < pace.connecting() <= 0.1
    short = Settings(patience=0.01)
    assert Pace(short, Patience(short)).waiting() <= 0.01


def test_a_window_without_its_quota_is_an_error(patience):
    pace = Pace(SETTINGS, patience)
    pace.count(99)  # of 100
    time.sleep(0.11)
    with pytest.raises(TimeoutError, match="slower than the minimum rate"):
        pace.waiting()


def test_a_quota_begins_a_window_and_renews_the_patience(patience):
    pace = Pace(SETTINGS, patience)
    before = patience.left()
    for _ in range(3):
        time.sleep(0.06)
        pace.count(100)
    assert pace.waiting() > 0
    assert patience.left() > before - 0.1


def test_bytes_without_a_quota_do_not_renew_the_patience(patience):
    pace = Pace(SETTINGS, patience)
    time.sleep(0.05)
    pace.count(99)
    assert patience.left() < 4.96


def test_a_name_of_many_addresses_takes_no_longer_than_a_window(patience, monkeypatch):
    tried = []

    def nobody(place, timeout, source_address=None):
        tried.append(place)
        time.sleep(timeout)
        raise TimeoutError("timed out")

    family = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    every = [(*family, (f"192.0.2.{i}", 80)) for i in range(20)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: every)
    monkeypatch.setattr(socket, "create_connection", nobody)
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        paced(http.client.HTTPConnection, Pace(SETTINGS, patience))("example.org").connect()
    assert time.monotonic() - begin < SETTINGS.rate_window + 0.1
    assert tried


def test_an_answer_is_read_whole_and_its_socket_closed(patience):
    """The socket is closed before the body is read, as urllib does it, and lives on until then."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        with server, server.accept()[0] as connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    kind = paced(http.client.HTTPConnection, Pace(SETTINGS, patience))
    connection = kind("127.0.0.1", server.getsockname()[1])
    connection.request("GET", "/", headers={"Connection": "close"})
    answer = connection.getresponse()
    sock = connection.sock
    sock.close()
    assert answer.read1(10) == b"abc"
    answer.close()
    assert sock.fileno() == -1
    thread.join(5)
