import hashlib
import random

import faults
import pytest
from fault_server import FaultServer

from keras_vae.presets.fetching.deadlines import Pace
from keras_vae.presets.fetching.download import download
from keras_vae.presets.fetching.partial_file import Part
from keras_vae.presets.fetching.request import PermanentError
from keras_vae.presets.fetching.request import TemporaryError
from keras_vae.presets.fetching.settings import Patience
from keras_vae.presets.fetching.settings import Settings

pytestmark = pytest.mark.one_backend

CONTENT = random.Random(1).randbytes(200_000)  # of several blocks
HALF = len(CONTENT) // 2
SETTINGS = Settings(stall_timeout=2.0)


class Bar:
    def __init__(self):
        self.shown = []

    def show(self, num_bytes):
        self.shown.append(num_bytes)


@pytest.fixture
def part(tmp_path):
    with Part(tmp_path / "weights", len(CONTENT)) as part:
        yield part


@pytest.fixture
def attempt(part):
    def attempt(server):
        bar = Bar()
        download(server.url, part, Pace(SETTINGS, Patience(SETTINGS)), SETTINGS, bar)
        return bar

    return attempt


def is_right(part):
    return part.finish(hashlib.sha256(CONTENT).hexdigest())


def test_a_whole_file_and_what_is_asked_and_shown(part, attempt):
    with FaultServer(CONTENT, faults.fine) as server:
        bar = attempt(server)
        headers = server.requests[0].headers
    assert is_right(part)
    assert bar.shown == sorted(bar.shown)
    assert bar.shown[-1] == len(CONTENT)
    assert headers["accept-encoding"] == "identity"
    assert "range" not in headers


def test_chunks(part, attempt):
    def chunked(reply):
        reply.head("200 OK", Transfer_Encoding="chunked")
        for i in range(0, len(CONTENT), 7000):
            data = CONTENT[i : i + 7000]
            reply.body(b"%x\r\n" % len(data) + data + b"\r\n")
        reply.body(b"0\r\n\r\n")

    with FaultServer(CONTENT, chunked) as server:
        attempt(server)
    assert is_right(part)


def test_the_rest_is_asked_for_by_range_and_etag(part, attempt):
    with FaultServer(CONTENT, faults.half_then_reset, faults.fine) as server:
        with pytest.raises(TemporaryError):
            attempt(server)
        assert part.length == HALF
        attempt(server)
        assert server.requests[1].headers["range"] == f"bytes={HALF}-"
        assert server.requests[1].headers["if-range"] == '"1"'
    assert is_right(part)


def test_a_weak_etag_is_not_sent_back(part, attempt):
    def weak(reply):
        reply.fine(etag='W/"1"', upto=HALF)

    with FaultServer(CONTENT, weak, faults.fine) as server:
        with pytest.raises(TemporaryError, match=f"ended after {HALF} of {len(CONTENT)} bytes"):
            attempt(server)
        with pytest.raises(TemporaryError, match="another file than before"):  # ETag "1"
            attempt(server)
        assert "if-range" not in server.requests[1].headers
    assert part.length == 0


def test_if_range_that_does_not_match_brings_the_whole_file(part, attempt):
    with FaultServer(CONTENT, faults.half_then_reset, lambda r: r.fine(etag='"2"')) as server:
        with pytest.raises(TemporaryError):
            attempt(server)
        attempt(server)
        assert server.num_bytes == HALF + len(CONTENT)
    assert is_right(part)


@pytest.mark.parametrize(
    "behaviour",
    [
        faults.changed_at_half,
        faults.changed_at_half_without_etag,
        faults.another_part_than_asked_for,
        faults.part_of_another_size,
        faults.range_refused,
    ],
)
def test_a_part_that_does_not_fit_is_not_appended(behaviour, part, attempt):
    with FaultServer(CONTENT, behaviour) as server:
        for _ in range(2):
            with pytest.raises(TemporaryError):
                attempt(server)
    assert part.length == 0


@pytest.mark.parametrize("may_mix", [True, False])
def test_another_mirror_goes_on_where_one_broke_off_if_their_bytes_may_mix(part, attempt, may_mix):
    part.may_mix = may_mix
    with (
        FaultServer(CONTENT, faults.half_then_reset) as first,
        FaultServer(CONTENT, faults.fine) as second,
    ):
        with pytest.raises(TemporaryError):
            attempt(first)
        attempt(second)
        assert second.num_bytes == (HALF if may_mix else len(CONTENT))
    assert part.sources == ({first.url, second.url} if may_mix else {second.url})
    assert is_right(part)


@pytest.mark.parametrize(
    "behaviour, message",
    [
        (
            faults.captive_portal,
            r"69 bytes instead of 200000 \(a web page of 127.0.0.1:.*login",
        ),
        (faults.longer_than_the_file, "200004 bytes instead of 200000$"),
        (faults.zipped, "the encoding 'gzip'"),
        (faults.no_content, "HTTP 204 instead of 200"),
        (faults.part_that_nobody_asked_for, "HTTP 206 instead of 200"),
    ],
)
def test_answers_that_are_not_read(behaviour, message, part, attempt):
    with FaultServer(CONTENT, behaviour) as server, pytest.raises(PermanentError, match=message):
        attempt(server)
    assert part.length == 0
