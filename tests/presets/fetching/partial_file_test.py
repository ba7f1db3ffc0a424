import hashlib

import pytest

from keras_vae.presets.fetching.partial_file import Part
from keras_vae.presets.fetching.partial_file import path_of

pytestmark = pytest.mark.one_backend

CONTENT = b"abcdef"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "weights"


def test_a_file_comes_in_pieces(target):
    with Part(target, 6) as part:
        part.write(b"abc")
        assert not part.finish(SHA256)
        part.write(b"def")
        assert not target.exists()
        assert part.finish(SHA256)
    assert target.read_bytes() == CONTENT
    assert not path_of(target).exists()


def test_another_content_is_not_put_in_place(target):
    target.write_bytes(b"before")
    with Part(target, 6) as part:
        part.write(b"abcdeF")
        assert not part.finish(SHA256)
    assert target.read_bytes() == b"before"


def test_what_was_left_is_taken_up_and_counted_into_the_sha256(target):
    with Part(target, 6) as part:
        part.write(b"abcd")
    with Part(target, 6) as part:
        assert (part.length, part.best, part.sources) == (4, 4, {None})
        part.write(b"ef")
        assert part.finish(SHA256)
    assert target.read_bytes() == CONTENT


def test_restart(target):
    with Part(target, 6) as part:
        part.write(b"xyz")
        part.sources.add("a")
        part.restart()
        assert (part.length, part.best, part.sources) == (0, 3, set())
        part.write(CONTENT)
        assert part.finish(SHA256)
    assert target.read_bytes() == CONTENT


def test_more_than_the_file_has_is_thrown_away(target):
    path_of(target).write_bytes(b"1234567")
    with Part(target, 6) as part:
        assert part.length == 0


def test_an_empty_part_is_not_left_behind(target):
    with Part(target, 6):
        assert path_of(target).exists()
    assert not path_of(target).exists()


def test_mixing(target):
    with Part(target, 6) as part:
        part.write(b"a")
        part.sources.add("one")
        assert part.may_continue_from("two")
        part.may_mix = False
        assert part.may_continue_from("one")
        assert not part.may_continue_from("two")
        part.sources.add("two")
        assert not part.may_continue_from("one")
