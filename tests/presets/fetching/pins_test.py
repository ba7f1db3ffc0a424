import pytest

from keras_vae.presets.fetching import pins

pytestmark = pytest.mark.one_backend


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_VAE_HOME", str(tmp_path / "home"))
    (tmp_path / "a.txt").write_text("first")
    return tmp_path


def test_what_is_first_seen_is_held(folder):
    assert pins.revision_of("me/model") is None
    pins.hold("me/model", "abc", folder, ["a.txt"])
    assert pins.revision_of("me/model") == "abc"
    pins.hold("me/model", "abc", folder, ["a.txt"])
    (folder / "a.txt").write_text("other")
    pins.hold("me/another", "abc", folder, ["a.txt"])
    with pytest.raises(ValueError, match=r"a\.txt is not the file.*me/model.*first fetched"):
        pins.hold("me/model", "abc", folder, ["a.txt"])


def test_nothing_is_noted_without_a_revision(folder):
    pins.hold("me/model", None, folder, ["a.txt"])
    assert pins.revision_of("me/model") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"revision": 1, "sha256": {}}'])
def test_a_damaged_note_is_named(folder, text):
    pins.hold("me/model", "abc", folder, ["a.txt"])
    (note,) = (folder / "home" / "pins").iterdir()
    note.write_text(text)
    with pytest.raises(ValueError, match=r"me--model\.json.*damaged"):
        pins.revision_of("me/model")


def test_the_revision_seen_last_is_noted(folder, tmp_path):
    assert pins.last_seen("me/my-vae") is None
    for revision in ("abc", "def"):
        pins.see("me/my-vae", revision)
        assert pins.last_seen("me/my-vae") == revision
    assert pins.last_seen("me/other") is None


@pytest.mark.parametrize("text", ["../../x", "a" * 65, "ü"])
def test_a_note_that_is_no_revision_is_none(folder, text):
    pins.see("me/my-vae", text)
    assert pins.last_seen("me/my-vae") is None
