import filelock
import published_zoo
import pytest

from keras_vae import presets
from keras_vae.presets.fetching import cache
from keras_vae.presets.fetching.partial_file import path_of

pytestmark = pytest.mark.one_backend


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """The folder of a fetched preset, beside which lie an old revision and what is not ours."""
    published_zoo.install(tmp_path, monkeypatch, weights=False)
    cached = published_zoo.fill_cache(tmp_path)
    for folder in (cached.with_name("0" * 64), tmp_path / "home" / "photos" / "2001"):
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"1234")
    return cached


def names_in(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_what_is_not_used_goes(cached, tmp_path):
    weights = cached / "model.safetensors"
    path_of(weights).write_bytes(b"12345")
    weights.with_name("model.safetensors.damaged").write_bytes(b"123456")
    assert presets.clean(presets.entries()) == 4 + 5 + 6
    assert names_in(cached) == ["config.json", "model.safetensors"]
    assert not any(problem for _, problem in presets.verify("vae_a"))
    assert names_in(cached.parent) == [cached.name]
    assert (tmp_path / "home" / "photos" / "2001" / "model.safetensors").exists()


def test_everything_goes_when_asked(cached, tmp_path):
    size = sum(path.stat().st_size for path in cached.iterdir())
    assert presets.clean(presets.entries(), everything=True) == size + 4
    assert names_in(tmp_path / "home") == ["photos"]


def test_what_another_process_holds_stays(cached):
    weights, old = cached / "model.safetensors", cached.with_name("0" * 64) / "model.safetensors"
    path_of(weights).write_bytes(b"12345")
    with (
        filelock.FileLock(cache.lock_path(weights)),
        filelock.FileLock(cache.lock_path(old)),
    ):
        assert presets.clean(presets.entries()) == 0
    assert path_of(weights).exists()
    assert old.exists()


def test_a_cache_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_VAE_HOME", str(tmp_path / "nothing"))
    assert presets.clean({}, everything=True) == 0
