"""Every fault of `faults.py` in three settings or four: never a wrong file, a hang or an orphan."""

import faults
import pytest
from fault_server import FaultServer
from fetching import CONTENT
from fetching import PATIENT
from fetching import QUICK
from fetching import assert_nothing_wrong
from fetching import assert_right
from fetching import get

from keras_vae.presets.fetching import partial_file
from keras_vae.presets.fetching.fetch import FetchError

pytestmark = pytest.mark.one_backend

FAULTS = faults.TEMPORARY | faults.PERMANENT


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder" / "model.safetensors"


def test_there_are_many_faults():
    assert len(FAULTS) >= 45


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
        get(target, bad, good, settings=PATIENT)
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
    partial_file.path_of(target).write_bytes(CONTENT[:20_000])
    with FaultServer(CONTENT, FAULTS[name]) as bad, FaultServer(CONTENT, faults.fine) as good:
        get(target, bad, good, settings=PATIENT)
    assert_right(target)
