"""What the tests of fetching share: a small file, impatient settings, and what to look at after."""

import dataclasses
import hashlib
import random
import socket
import time

import faults
from fault_server import FaultServer

from keras_vae.presets.fetching import cache
from keras_vae.presets.fetching.fetch import fetch
from keras_vae.presets.fetching.settings import Settings

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
# Where another mirror ends the wait: a busy machine may stand still for longer than `QUICK` waits.
PATIENT = dataclasses.replace(QUICK, patience=20.0)
SLACK = 1.5  # seconds that a busy machine may add


def get(target, *servers, settings=QUICK, longest=None):
    """Fetches from servers or addresses; fails the test where that takes too long."""
    urls = [server if isinstance(server, str) else server.url for server in servers]
    begin = time.monotonic()
    try:
        return fetch(urls, target, len(CONTENT), SHA256, settings)
    finally:
        assert time.monotonic() - begin < (longest or settings.patience) + SLACK


def left_over(target):
    """Everything in the folder but the file and its lock."""
    names = {path.name for path in target.parent.iterdir()}
    return names - {target.name, cache.lock_path(target).name}


def assert_right(target):
    """Fails the test where the file is not the true one, or is not alone."""
    assert target.read_bytes() == CONTENT
    assert not left_over(target)


def assert_nothing_wrong(target):
    """After a failure: no file under the true name, and the next run ends well."""
    assert not target.exists()
    with FaultServer(CONTENT, faults.fine) as good:
        get(target, good)
    assert_right(target)


def closed_port():
    """Returns an address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}/file"
