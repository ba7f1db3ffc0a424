import os
import stat

import pytest

from keras_vae.atomic_files import put_in_place
from keras_vae.atomic_files import write_atomically
from keras_vae.atomic_files import written_beside

pytestmark = pytest.mark.one_backend


def test_written_files_can_be_read_by_others(tmp_path):
    write_atomically(tmp_path / "file", b"12")
    assert (tmp_path / "file").read_bytes() == b"12"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


@pytest.mark.parametrize("call", ["replace", "fsync", "chmod"])
def test_a_crash_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch, call):
    def crash(*args):
        raise KeyboardInterrupt

    write_atomically(tmp_path / "file", b"old")
    monkeypatch.setattr(os, call, crash)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_nothing_is_in_place_before_it_is_put_there(tmp_path):
    with written_beside(tmp_path / "file", b"12") as temporary:
        assert not (tmp_path / "file").exists()
        assert temporary.read_bytes() == b"12"
        assert temporary.parent == tmp_path
        put_in_place(temporary, tmp_path / "file")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_what_is_not_put_in_place_is_removed(tmp_path):
    with written_beside(tmp_path / "file", b"12"):
        pass
    assert list(tmp_path.iterdir()) == []
