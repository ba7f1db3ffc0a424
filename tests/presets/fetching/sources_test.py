from pathlib import Path

import pytest

from keras_vae.presets.fetching import hub
from keras_vae.presets.fetching import sources
from keras_vae.presets.format.index import Entry

pytestmark = pytest.mark.one_backend

ENTRY = Entry("vae_a", "0" * 64, {}, {}, 1, {}, {})
PATH = f"vae_a/{'0' * 64}"


def test_addresses_in_order(monkeypatch):
    monkeypatch.delenv("KERAS_VAE_ZOO", raising=False)
    assert sources.configured() == []
    monkeypatch.setenv("KERAS_VAE_ZOO", " https://a/zoo ,http://b:80/,~/my zoo,, hf://me/zoo,")
    assert sources.configured() == [
        "https://a/zoo",
        "http://b:80/",
        Path("~/my zoo").expanduser(),
        "hf://me/zoo",
    ]


def test_a_package_of_data_is_found_where_it_is_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_PACKAGE", "a_zoo_of_this_test")
    assert sources.installed() == []
    (tmp_path / "a_zoo_of_this_test").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert sources.installed() == [tmp_path / "a_zoo_of_this_test"]


@pytest.mark.parametrize("word", ["ftp://a/b", "file:///a", "s3://a/b", "https://", "http:///a"])
def test_addresses_that_are_none(word, monkeypatch):
    monkeypatch.setenv("KERAS_VAE_ZOO", f"https://a,{word}")
    with pytest.raises(ValueError, match=f"KERAS_VAE_ZOO must hold .*{word}"):
        sources.configured()


@pytest.mark.parametrize("word", ["https://me:pass/word@a", "ftp://me:password@a", "http://a:b:c"])
def test_passwords_are_not_shown(word, monkeypatch):
    monkeypatch.setenv("KERAS_VAE_ZOO", word)
    with pytest.raises(ValueError, match=r"KERAS_VAE_ZOO must hold .*%40") as caught:
        sources.configured()
    assert "word" not in str(caught.value).replace("password @", "")


@pytest.mark.parametrize("word", ["hf://", "hf://me", "hf://me/a/b", "hf://../x", "hf://me/a?b"])
def test_addresses_of_the_hub_that_are_none(word, monkeypatch):
    monkeypatch.setenv("KERAS_VAE_ZOO", word)
    with pytest.raises(ValueError, match="hf://OWNER/NAME"):
        sources.configured()


@pytest.mark.parametrize(
    "source, url",
    [
        ("https://a/zoo", f"https://a/zoo/{PATH}/x"),
        ("https://a/zoo/", f"https://a/zoo/{PATH}/x"),
        ("http://a:8000", f"http://a:8000/{PATH}/x"),
        ("https://a/zoo?token=1", f"https://a/zoo/{PATH}/x?token=1"),
    ],
)
def test_addresses_of_a_file(source, url):
    assert sources.urls([Path("b"), source], ENTRY, "x") == [url]


def test_addresses_of_a_file_on_the_hub(monkeypatch):
    monkeypatch.setattr(hub, "url_of", lambda address, path: f"{address}!{path}")
    assert sources.urls(["hf://me/zoo"], ENTRY, "x") == [f"hf://me/zoo!{PATH}/x"]


def test_folders_are_published_ones_or_as_a_checkout_has_them():
    found = sources.folders(["https://a", Path("zoo")], ENTRY)
    assert found == [Path("zoo") / PATH, Path("zoo/vae_a")]


def test_how_to_set_says_what_to_set():
    words = sources.how_to_set("vae_a", [])
    assert "KERAS_VAE_ZOO is not set. Install" in words
    assert 'pip install "keras-vae[zoo]"' in words
    assert "KERAS_VAE_ZOO=https://" in words
    assert "keras-vae train vae_a" in words
    assert "no folder of KERAS_VAE_ZOO holds them" in sources.how_to_set("vae_a", [Path("zoo")])
