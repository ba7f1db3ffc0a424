import http.client
import json
import threading

import numpy as np
import pytest

from keras_vae.explorer import ExplorerServer

pytestmark = pytest.mark.one_backend


class Answers:
    """Stands in for an `Explorer`."""

    class model:  # noqa: N801
        data_shape = (2, 2, 1)

    def encode(self, picture, label=None):
        if len(picture) != 4:
            raise ValueError("`picture` must be a list of 4 numbers.")
        return {"sum": sum(picture), "label": label}


@pytest.fixture
def server():
    server = ExplorerServer(Answers())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def asked(server, method, path, body=None, **headers):
    """Returns (status, headers, body) of a request to a path."""
    connection = http.client.HTTPConnection(*server.server_address, timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def posted(server, question, content, **headers):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    status, _, answer = asked(server, "POST", f"/{server.token}/{question}", body, **headers)
    return status, json.loads(answer)


def test_the_page_and_its_files(server):
    for name, word in {
        "": b"<!doctype html>",
        "explorer.js": b"use strict",
        "style.css": b"{",
    }.items():
        status, headers, body = asked(server, "GET", f"/{server.token}/{name}")
        assert status == 200
        assert word in body
        assert headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert headers["Referrer-Policy"] == "no-referrer"
        assert int(headers["Content-Length"]) == len(body)


def test_only_this_machine_is_listened_to(server):
    assert server.server_address[0] == "127.0.0.1"
    assert server.url.startswith("http://127.0.0.1:")
    assert server.url.endswith(f"/{server.token}/")


def test_a_token_is_long_and_drawn_anew():
    tokens = set()
    for _ in range(5):
        with ExplorerServer(Answers()) as server:
            tokens.add(server.token)
    assert len(tokens) == 5
    assert min(map(len, tokens)) >= 20


@pytest.mark.parametrize("token", ["", "wrong", "%C3%A4", "../.."])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_token_is_refused(server, method, token):
    for path in (f"/{token}/", f"/{token}", f"/{token}/encode", "/explorer.js"):
        status, _, body = asked(server, method, path, b"{}")
        assert status == 403
        assert b"keras-vae explore" in body


def test_a_page_of_another_name_is_refused(server):
    """Another site's name may be made to point to this machine."""
    path = f"/{server.token}/"
    port = server.server_address[1]
    assert asked(server, "GET", path, Host="evil.example")[0] == 403
    assert asked(server, "GET", path, Host=f"evil.example:{port}")[0] == 403
    assert asked(server, "GET", path, Host=f"localhost:{port}")[0] == 200


def test_questions_are_answered(server):
    answer = posted(server, "encode", {"picture": [1, 2, 3, 4], "label": 2, "more": 0})
    assert answer == (200, {"sum": 10, "label": 2})


@pytest.mark.parametrize(
    "content, words",
    [
        ({"picture": [1]}, "list of 4 numbers"),
        ({}, "picture"),
        ({"picture": 3}, "len"),
        ([1], "JSON object"),
        (b"{", "must be JSON"),
        (b"\xff", "must be JSON"),
        (b"[" * 100_000, "must be JSON"),
    ],
)
def test_a_bad_question_gets_a_message(server, content, words):
    status, answer = posted(server, "encode", content)
    assert status == 400
    assert words in answer["error"]
    assert posted(server, "encode", {"picture": [0] * 4})[0] == 200  # it goes on


def test_a_question_that_is_too_long_is_not_read(server):
    status, answer = posted(server, "encode", b"{}", **{"Content-Length": str(10**9)})
    assert status == 400
    assert "at most" in answer["error"]


@pytest.mark.parametrize("name", ["model", "__class__", "nothing", "../server.py"])
def test_nothing_else_is_there(server, name):
    assert posted(server, name, {})[0] == 404
    assert asked(server, "GET", f"/{server.token}/{name}")[0] == 404


def test_questions_are_answered_one_at_a_time():
    running, most = [], []

    class Slow(Answers):
        def encode(self, picture, label=None):
            running.append(1)
            most.append(len(running))
            threading.Event().wait(0.02)
            running.pop()
            return {}

    with ExplorerServer(Slow()) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        askers = [
            threading.Thread(target=posted, args=(server, "encode", {"picture": []}))
            for _ in range(5)
        ]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        server.shutdown()
    assert np.max(most) == 1
    assert len(most) == 5
