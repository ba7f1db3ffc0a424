import errno
import os
import random
import socket
import time
import warnings

import faults
import filelock
import pytest
from fault_server import FaultServer
from fetching import CONTENT
from fetching import QUICK
from fetching import assert_nothing_wrong
from fetching import assert_right
from fetching import closed_port
from fetching import get
from fetching import left_over

from keras_vae.presets.fetching import cache
from keras_vae.presets.fetching import partial_file
from keras_vae.presets.fetching.fetch import FetchError
from keras_vae.presets.fetching.settings import Settings

pytestmark = pytest.mark.one_backend

FAULTS = faults.TEMPORARY | faults.PERMANENT


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder" / "model.safetensors"


def test_a_user_waits_less_than_a_minute():
    assert Settings().patience + Settings().connect_timeout <= 60


def test_mirrors_that_all_fail_and_the_last_is_fine(target):
    names = ["silent", "404", "bit flipped", "dripping", "redirect to file:", "reset at once"]
    servers = [FaultServer(CONTENT, FAULTS[name]) for name in names]
    good = FaultServer(CONTENT, faults.fine)
    get(target, closed_port(), *servers, good)
    assert_right(target)
    for server in (*servers, good):
        server.__exit__()


def test_silent_mirrors_leave_time_for_the_last(target):
    """Each alone would be waited for longer than a sixth of the patience."""
    with FaultServer(CONTENT, faults.silent) as silent, FaultServer(CONTENT, faults.fine) as good:
        get(target, *(f"{silent.url}/{i}" for i in range(6)), good)
    assert_right(target)


def test_a_mirror_that_halves_each_answer_is_read_to_its_end(target):
    """The last fifteen pieces are smaller than what renews the patience."""

    def half(reply):
        reply.fine(upto=(reply.start + len(reply.content) + 1) // 2)

    with FaultServer(CONTENT, half) as server:
        get(target, server, settings=QUICK)
        assert len(server.requests) > QUICK.max_attempts
    assert_right(target)


def stalling(reply):
    """Sends a part that renews the patience, whatever is asked for, and then nothing more."""
    part = int(2 * QUICK.quota)
    reply.fine(upto=reply.start + part)
    reply.pause(10)


def stalling_from_the_start(reply):
    reply.start = 0
    reply.headers.pop("range", None)
    stalling(reply)


@pytest.mark.parametrize("behaviour", [stalling, stalling_from_the_start])
@pytest.mark.parametrize("num_mirrors", [1, 3])
def test_a_mirror_that_stalls_again_and_again_ends_within_the_patience(
    behaviour, num_mirrors, target
):
    servers = [FaultServer(CONTENT, behaviour) for _ in range(num_mirrors)]
    with pytest.raises(FetchError, match=r"timed out|minimum rate"):
        get(target, *servers)
    for server in servers:
        server.__exit__()
    assert_nothing_wrong(target)


def test_no_mirror_at_all(target):
    with pytest.raises(FetchError, match="could not be fetched"):
        get(target)


def test_nobody_listens(target):
    with pytest.raises(FetchError, match="refused"):
        get(target, closed_port())
    assert_nothing_wrong(target)


def test_the_error_names_each_mirror_and_its_answer(target):
    with (
        FaultServer(CONTENT, faults.captive_portal) as portal,
        FaultServer(CONTENT, FAULTS["404"]) as none,
        pytest.raises(FetchError) as caught,
    ):
        get(target, portal, none)
    assert f"{none.url}: HTTP 404 Not Found." in str(caught.value)
    assert "is a login needed?" in str(caught.value)


@pytest.mark.parametrize("scheme", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x", ""])
def test_only_http_is_fetched_from(scheme, target):
    with pytest.raises(FetchError, match="neither http nor https"):
        get(target, scheme)


def test_a_bad_mirror_does_not_spoil_what_a_good_one_sends(target):
    """It sends half of another file each time; the good one goes on from there only once."""
    bad = faults.first_half_of_another_file_then_reset
    with FaultServer(CONTENT, bad) as first, FaultServer(CONTENT, faults.fine) as second:
        get(target, first, second)
        assert second.num_bytes == 1.5 * len(CONTENT)
    assert_right(target)


def test_a_server_is_left_alone_for_as_long_as_it_asks(target):
    busy = faults.status("503 Service Unavailable", Retry_After="1")
    begin = time.monotonic()
    with FaultServer(CONTENT, busy, faults.fine) as server:
        get(target, server)
    assert time.monotonic() - begin >= 1
    assert_right(target)


def test_resuming_transfers_the_rest_only(target):
    target.parent.mkdir()
    with FaultServer(CONTENT, faults.half_then_reset, faults.fine) as server:
        get(target, server)
        assert server.requests[1].headers["if-range"] == '"1"'
        assert server.num_bytes <= 1.05 * len(CONTENT)
    assert_right(target)


def test_resuming_what_another_process_left(target):
    target.parent.mkdir()
    partial_file.path_of(target).write_bytes(CONTENT[:20_000])
    with FaultServer(CONTENT, faults.fine) as server:
        get(target, server)
        assert server.num_bytes <= 0.55 * len(CONTENT)
    assert_right(target)


def test_a_part_that_was_whole_is_only_renamed(target):
    target.parent.mkdir()
    partial_file.path_of(target).write_bytes(CONTENT)
    get(target)
    assert_right(target)


@pytest.mark.parametrize("left", [bytes(20_000), bytes(40_000), bytes(50_000), b""])
def test_a_wrong_part_that_another_process_left(left, target):
    target.parent.mkdir()
    partial_file.path_of(target).write_bytes(left)
    with FaultServer(CONTENT, faults.fine) as server:
        get(target, server)
    assert_right(target)


def test_what_killed_processes_left_is_swept(target):
    target.parent.mkdir()
    for name in (".model.safetensors.x8k2", ".model.safetensors.tmp"):
        (target.parent / name).write_bytes(b"1")
    (target.parent / "another").write_bytes(b"1")
    with FaultServer(CONTENT, faults.fine) as server:
        get(target, server)
    assert left_over(target) == {"another"}


def test_a_damaged_file_is_set_aside_and_fetched_once_more(target):
    target.parent.mkdir()
    damaged = bytes([CONTENT[0] ^ 1]) + CONTENT[1:]
    target.write_bytes(damaged)
    with FaultServer(CONTENT, faults.fine) as server:
        with pytest.warns(UserWarning, match="was damaged"):
            get(target, server)
        assert len(server.requests) == 1
    assert target.read_bytes() == CONTENT
    assert left_over(target) == {"model.safetensors.damaged"}
    assert (target.parent / "model.safetensors.damaged").read_bytes() == damaged


@pytest.fixture
def no_socket(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_a_warm_cache_opens_no_socket_and_writes_nothing(target, no_socket, monkeypatch):
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    monkeypatch.setattr(os, "replace", None)
    get(target, "http://127.0.0.1:1/file")
    assert list(target.parent.iterdir()) == [target]


def test_a_read_only_cache_is_used(target):
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    target.chmod(0o444)
    target.parent.chmod(0o555)
    try:
        get(target, "http://127.0.0.1:1/file")
        assert list(target.parent.iterdir()) == [target]
    finally:
        target.parent.chmod(0o755)


@pytest.mark.parametrize("state", ["does not exist", "is damaged"])
def test_offline(state, target, no_socket, monkeypatch):
    monkeypatch.setenv("KERAS_VAE_OFFLINE", "1")
    if state == "is damaged":
        target.parent.mkdir()
        target.write_bytes(b"1")
    with pytest.raises(FetchError, match=f"{state}, and KERAS_VAE_OFFLINE"):
        get(target, "http://127.0.0.1:1/file")
    assert target.exists() == (state == "is damaged")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FetchError, match=r"cannot be written.*KERAS_VAE_HOME"):
        get(tmp_path / "file" / "model.safetensors", "http://127.0.0.1:1/file")


@pytest.mark.parametrize("call", ["write", "finish"])
def test_a_full_disk_is_said_once_and_leaves_nothing(call, target, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with FaultServer(CONTENT, faults.fine) as server:
        with monkeypatch.context() as patched:
            patched.setattr(partial_file.Part, call, full)
            with pytest.raises(FetchError, match=r"No space left.*Free some"):
                get(target, server)
        assert len(server.requests) == 1
        assert not target.exists()
        assert not left_over(target)
        get(target, server)
    assert_right(target)


def test_one_waits_for_another_that_makes_progress_and_not_for_one_that_is_stuck(target):
    target.parent.mkdir()
    with (
        filelock.FileLock(cache.lock_path(target)),
        FaultServer(CONTENT, faults.fine) as server,
        pytest.raises(FetchError, match="is stuck"),
    ):
        get(target, server)
    assert server.requests == []


def test_the_callers_random_numbers_are_left_alone(target):
    random.seed(3)
    expected = random.Random(3).random()
    with FaultServer(CONTENT, faults.half_then_reset, faults.fine) as server:
        get(target, server)
    assert random.random() == expected


def test_no_warning_without_a_reason(target):
    with (
        FaultServer(CONTENT, faults.half_then_reset, faults.fine) as server,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        get(target, server)
