from pathlib import Path

import pytest

from keras_vae.cli.resumable import Source
from keras_vae.cli.resumable import finish
from keras_vae.cli.resumable import work_through

pytestmark = pytest.mark.one_backend


@pytest.fixture
def work(tmp_path):
    """A function that makes capitals of two files into the folder `made`, and what it read."""
    read = []
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)

    def source(name):
        def of_file():
            read.append(name)
            return (tmp_path / name).read_text()

        return Source(tmp_path / name, of_file)

    def run(make=lambda text: text.upper().encode(), **settings):
        sources = {name: source(name) for name in ("a", "b")}
        return work_through(sources, tmp_path / "made", ".txt", make, settings)

    return run, read


def fail_at_b(text):
    if text == "b":
        raise KeyboardInterrupt
    return b"A"


def test_what_was_made_is_kept_until_it_is_finished(work, tmp_path):
    run, read = work
    with pytest.raises(KeyboardInterrupt):
        run(fail_at_b)
    made = run()
    assert {name: path.read_text() for name, path in made.items()} == {"a": "A", "b": "B"}
    assert read == ["a", "b", "b"]
    run()
    assert read == ["a", "b", "b"]
    finish(tmp_path / "made")
    run()
    assert read == ["a", "b", "b", "a", "b"]
    finish(tmp_path / "made")
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == ["a.txt", "b.txt"]


def test_a_line_that_an_interruption_cut_is_of_nothing(work, tmp_path):
    run, read = work
    run()
    journal = tmp_path / "made/.unfinished"
    journal.write_text(journal.read_text()[:-3])
    run()
    run()
    assert read == ["a", "b", "b"]


def test_a_source_that_was_changed_is_read_again(work, tmp_path):
    run, read = work
    run()
    (tmp_path / "a").write_text("other")
    assert run()["a"].read_text() == "OTHER"
    assert read == ["a", "b", "a"]


def test_other_settings_begin_anew(work):
    run, read = work
    with pytest.raises(KeyboardInterrupt):
        run(fail_at_b, tile=8)
    run(tile=9)
    assert read == ["a", "b", "a", "b"]


def test_a_source_that_cannot_be_read_is_skipped_and_named(work, capsys):
    def refuse_b(text):
        if text == "b":
            raise ValueError("no\npicture")
        return b"A"

    run, _ = work
    assert list(run(refuse_b)) == ["a"]
    assert "skipped b: no picture" in capsys.readouterr().err


def test_nothing_is_written_where_nothing_could_be_made(work, tmp_path):
    def refuse(text):
        raise ValueError("no picture")

    run, _ = work
    with pytest.raises(ValueError, match="None of the pictures"):
        run(refuse)
    assert not Path(tmp_path / "made").exists()
