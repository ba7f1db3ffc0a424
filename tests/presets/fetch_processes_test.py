"""Fetching by many processes, killed ones among them."""

import hashlib
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import faults
import filelock
import pytest
from fault_server import FaultServer
from fetching import CONTENT
from fetching import QUICK
from fetching import assert_nothing_wrong
from fetching import assert_right
from fetching import get

from keras_vae.presets.fetching import cache
from keras_vae.presets.fetching import partial_file

pytestmark = pytest.mark.one_backend

WORKER = Path(__file__).with_name("fetch_worker.py")


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder" / "model.safetensors"


def start(server, target, *more, content=CONTENT):
    sha256 = hashlib.sha256(content).hexdigest()
    packages = Path(__import__("filelock").__file__).parents[1]
    command = [sys.executable, "-S", WORKER, packages, server.url, target, len(content), sha256]
    command += more
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_VAE_OFFLINE"}
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
            num_killed += bool(server.requests) and process.poll() is None
            process.kill()
            assert wait(process)[1] == ""  # it was killed or had ended, and did not fail
            assert not target.exists() or target.read_bytes() == CONTENT
            get(target, server)
        assert_right(target)
    assert num_killed >= 25  # in the middle of a transfer; the others had ended


def test_one_waits_for_another_as_long_as_that_one_makes_progress(target):
    """Here for 1.5 times the time after which it would take the other for stuck."""
    target.parent.mkdir()

    def transfer_slowly():
        with filelock.FileLock(cache.lock_path(target)):
            is_locked.set()
            for i in range(0, 40_000, 1000):
                with open(partial_file.path_of(target), "ab") as file:
                    file.write(CONTENT[i : i + 1000])
                time.sleep(1.5 * QUICK.patience / 40)
            partial_file.path_of(target).rename(target)

    is_locked = threading.Event()
    thread = threading.Thread(target=transfer_slowly)
    thread.start()
    is_locked.wait(5)
    with FaultServer(CONTENT, faults.fine) as server:
        get(target, server, longest=3 * QUICK.patience)
        assert server.requests == []
    thread.join()
    assert_right(target)
