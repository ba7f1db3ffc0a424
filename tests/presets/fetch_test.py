import errno
import hashlib
import os
import random
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path

import faults
import pytest
from fault_server import FaultServer

from keras_vae.presets import cache
from keras_vae.presets import part
from keras_vae.presets.fetch import FetchError
from keras_vae.presets.fetch import fetch
from keras_vae.presets.settings import Settings

CONTENT = random.Random(0).randbytes(40_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
# Everything 30 times as fast as for users.
QUICK = Settings(
    connect_timeout=0.4,
    stall_timeout=0.4,
    rate_window=0.5,
    min_rate=1500.0,
    patience=1.7,
    max_attempts=3,
    first_pause=0.01,
    longest_pause=0.05,
)
SLACK = 1.5  # seconds that a busy machine may add
FAULTS = faults.TEMPORARY | faults.PERMANENT
WORKER = Path(__file__).with_name("fetch_worker.py")


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder" / "model.safetensors"


def get(target, *servers, settings=QUICK, content=CONTENT):
    urls = [server if isinstance(server, str) else server.url for server in servers]
    sha256 = hashlib.sha256(content).hexdigest()
    begin = time.monotonic()
    try:
        return fetch(urls, target, len(content), sha256, settings)
    finally:
        assert time.monotonic() - begin < settings.patience + SLACK


def left_over(target):
    """Everything in the folder but the file and its lock."""
    names = {path.name for path in target.parent.iterdir()}
    return names - {target.name, cache.lock_path(target).name}


def assert_right(target, content=CONTENT):
    assert target.read_bytes() == content
    assert not left_over(target)


def assert_nothing_wrong(target):
    """After a failure: no file under the true name, and the next run ends well."""
    assert not target.exists()
    with FaultServer(CONTENT, faults.fine) as good:
        get(target, good)
    assert_right(target)


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}/file"


def test_there_are_many_faults():
    assert len(FAULTS) >= 45


def test_a_user_waits_less_than_a_minute():
    assert Settings().patience + Settings().connect_timeout <= 60


@pytest.mark.parametrize("name", faults.TEMPORARY)
def test_a_fault_that_passes(name, target):
    with FaultServer(CONTENT, FAULTS[name], FAULTS[name], faults.fine) as server:
        if name in ("bit flipped", "other content of the same length", "endless body"):
            server.script = server.script[1:]  # who sends a wrong file twice is not believed again
        get(target, server)
    assert_right(target)


@pytest.mark.parametrize("name", faults.PERMANENT)
def test_a_fault_that_stays_is_met_once(name, target):
    with FaultServer(CONTENT, FAULTS[name]) as server:
        with pytest.raises(FetchError):
            get(target, server)
        assert len(server.requests) <= 1 + QUICK.max_redirects * ("redirect" in name)
    assert_nothing_wrong(target)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_at_one_mirror_of_two(name, target):
    with FaultServer(CONTENT, FAULTS[name]) as bad, FaultServer(CONTENT, faults.fine) as good:
        get(target, bad, good)
    assert_right(target)


@pytest.mark.parametrize("name", faults.TEMPORARY)
def test_a_fault_that_never_passes(name, target):
    if name in ("reset at half", "silent at half"):
        pytest.skip("each attempt brings another half of the rest")
    with FaultServer(CONTENT, FAULTS[name]) as server, pytest.raises(FetchError):
        get(target, server)
    assert_nothing_wrong(target)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_while_resuming(name, target):
    """Another process was killed half-way; the one mirror there is fails, then another is fine."""
    target.parent.mkdir()
    part.path_of(target).write_bytes(CONTENT[:20_000])
    with FaultServer(CONTENT, FAULTS[name]) as bad, FaultServer(CONTENT, faults.fine) as good:
        get(target, bad, good)
    assert_right(target)


def test_mirrors_that_all_fail_and_the_last_is_fine(target):
    names = ["silent", "404", "bit flipped", "dripping", "redirect to file:", "reset at once"]
    servers = [FaultServer(CONTENT, FAULTS[name]) for name in names]
    good = FaultServer(CONTENT, faults.fine)
    get(target, closed_port(), *servers, good)
    assert_right(target)
    for server in (*servers, good):
        server.__exit__()


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


def test_resuming_transfers_the_rest_only(target):
    target.parent.mkdir()
    with FaultServer(CONTENT, faults.half_then_reset, faults.fine) as server:
        get(target, server)
        assert server.requests[1].headers["if-range"] == '"1"'
        assert server.num_bytes <= 1.05 * len(CONTENT)
    assert_right(target)


def test_resuming_what_another_process_left(target):
    target.parent.mkdir()
    part.path_of(target).write_bytes(CONTENT[:20_000])
    with FaultServer(CONTENT, faults.fine) as server:
        get(target, server)
        assert server.num_bytes <= 0.55 * len(CONTENT)
    assert_right(target)


def test_a_part_that_was_whole_is_only_renamed(target):
    target.parent.mkdir()
    part.path_of(target).write_bytes(CONTENT)
    get(target)
    assert_right(target)


@pytest.mark.parametrize("left", [bytes(20_000), bytes(40_000), bytes(50_000), b""])
def test_a_wrong_part_that_another_process_left(left, target):
    target.parent.mkdir()
    part.path_of(target).write_bytes(left)
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


@pytest.mark.parametrize("state", ["is not there", "is damaged"])
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
            patched.setattr(part.Part, call, full)
            with pytest.raises(FetchError, match=r"No space left on device\. Free some space"):
                get(target, server)
        assert len(server.requests) == 1
        assert not target.exists()
        assert not left_over(target)
        get(target, server)
    assert_right(target)


def start(server, target, *more, content=CONTENT):
    sha256 = hashlib.sha256(content).hexdigest()
    command = [sys.executable, "-S", WORKER, server.url, target, len(content), sha256, *more]
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_VAE_OFFLINE"}
    site = Path(__import__("filelock").__file__).parents[1]
    environment["PYTHONPATH"] = str(site)
    return subprocess.Popen(list(map(str, command)), env=environment, stderr=subprocess.PIPE)


def wait(process):
    """Returns the exit code and what was said."""
    _, told = process.communicate(timeout=60)
    return process.returncode, told.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="limits files as POSIX does")
def test_a_file_that_the_system_refuses_to_let_grow(target):
    with FaultServer(CONTENT, faults.fine) as server:
        code, told = wait(start(server, target, 10_000))
        assert code == 1
        assert "FetchError" in told
        assert "File too large" in told
        assert_nothing_wrong(target)


def slowly(reply):
    """A good server that takes a while, so that others come in between."""
    size, block = len(reply.content), len(reply.content) // 50 + 1
    part_of = f"bytes {reply.start}-{size - 1}/{size}"
    status = "206 Partial Content" if reply.start else "200 OK"
    reply.head(status, Content_Length=size - reply.start, ETag='"1"', Content_Range=part_of)
    for begin in range(reply.start, size, block):
        reply.body(reply.content[begin : begin + block])
        reply.pause(0.004)


@pytest.mark.slow
def test_sixteen_processes_transfer_the_file_once(target):
    with FaultServer(CONTENT, slowly) as server:
        processes = [start(server, target) for _ in range(16)]
        assert [wait(process) for process in processes] == [(0, "")] * 16
        assert len(server.requests) == 1
        assert server.num_bytes == len(CONTENT)
    assert_right(target)


@pytest.mark.slow
def test_fifty_kills_at_any_moment(tmp_path):
    rng = random.Random(0)
    num_killed = 0
    for i in range(50):
        target = tmp_path / str(i) / "model.safetensors"
        with FaultServer(CONTENT, slowly) as server:
            process = start(server, target)
            end = time.monotonic() + 20
            while not server.requests and process.poll() is None and time.monotonic() < end:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.25))
            process.kill()
            num_killed += wait(process)[0] != 0
            assert not target.exists() or target.read_bytes() == CONTENT
            get(target, server)
        assert_right(target)
    assert num_killed >= 25  # the others had ended


def test_one_waits_for_another_that_makes_progress_and_not_for_one_that_is_stuck(target):
    import filelock

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
