import hashlib
import os
import threading

import pytest

from keras_vae.presets.format import regular_files

pytestmark = [
    pytest.mark.one_backend,
    pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without pipes"),
]
DATA = b"1234"
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def places(tmp_path):
    """A file, a link to it, one to nothing, and a pipe that nobody writes to."""
    (tmp_path / "file").write_bytes(DATA)
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nothing")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    return tmp_path


def test_what_is_read(places):
    with regular_files.opened(places / "file") as (file, size):
        assert (file.read(), size) == (DATA, 4)
    with regular_files.opened(places / "link") as (file, size):
        assert file.read() == DATA
    with (
        pytest.raises(OSError, match="symbolic links"),
        regular_files.opened(places / "link", follow_links=False),
    ):
        pass


@pytest.mark.parametrize(
    "name, words",
    [
        ("pipe", "not a file"),
        ("dangling", "No such file"),
        ("folder", "not a file|directory"),
        ("absent", "No such file"),
    ],
)
def test_what_is_not(name, words, places):
    with pytest.raises(OSError, match=words), regular_files.opened(places / name):
        pass
    assert not regular_files.holds(places / name, 4, DIGEST)
    assert not regular_files.is_regular(places / name)
    assert regular_files.size_of(places / name) is None


def test_whether_a_link_counts_is_said(places):
    assert regular_files.holds(places / "file", 4, DIGEST, follow_links=False)
    assert regular_files.holds(places / "link", 4, DIGEST)
    assert not regular_files.holds(places / "link", 4, DIGEST, follow_links=False)
    assert regular_files.size_of(places / "link") == 4
    assert regular_files.size_of(places / "link", follow_links=False) is None
    assert not regular_files.is_regular(places / "link")


@pytest.mark.parametrize("name", ["link", "dangling", "pipe", "absent"])
def test_what_is_written_goes_to_a_file_of_its_own(name, places):
    with regular_files.open_to_append(places / name) as file:
        file.write(b"5")
    assert (places / name).read_bytes() == b"5"
    assert (places / "file").read_bytes() == DATA
    assert not (places / "nothing").exists()


def test_a_file_goes_on_at_its_end(places):
    with regular_files.open_to_append(places / "file") as file:
        file.write(b"5")
        file.seek(0)
        assert file.read() == DATA + b"5"


def test_a_folder_is_no_file_to_write_to(places):
    with pytest.raises(OSError, match=r"directory|not permitted"):
        regular_files.open_to_append(places / "folder")


def test_a_pipe_with_a_writer_is_none_either(places):
    def write():
        with open(places / "pipe", "wb") as pipe:
            pipe.write(DATA)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    assert not regular_files.holds(places / "pipe", 4, DIGEST)
    with open(places / "pipe", "rb") as pipe:
        pipe.read()
    writer.join(5)
    assert not writer.is_alive()
