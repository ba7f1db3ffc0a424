import fnmatch
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import keras_vae
from keras_vae import presets
from keras_vae.presets.fetching import hub
from keras_vae.presets.format.preset_files import write_preset
from tests.support.peers import Peer

pytestmark = pytest.mark.one_backend


class Hub(types.ModuleType):
    """Stands for `huggingface_hub`: the few calls that are made, with their real arguments."""

    def __init__(self, folder):
        super().__init__("huggingface_hub")
        self.folder = folder
        self.calls = []
        self.revision = "abc"
        self.sizes = {"config.json": 10, "model.safetensors": 10, "code.bin": 1 << 40}

    def hf_hub_url(self, repo_id, filename):
        return f"https://hub.example/{repo_id}/resolve/main/{filename}"

    def model_info(self, repo_id, *, files_metadata):
        files = [types.SimpleNamespace(rfilename=k, size=v) for k, v in self.sizes.items()]
        return types.SimpleNamespace(sha=self.revision, siblings=files)

    def snapshot_download(
        self, repo_id, *, revision, allow_patterns, local_files_only, force_download
    ):
        self.calls.append((repo_id, revision, local_files_only))
        if local_files_only and revision != self.revision:  # nothing was noted under a name
            raise FileNotFoundError("cannot find the requested files in the local cache")
        snapshot = self.folder.parent / "snapshot"
        snapshot.mkdir(exist_ok=True)
        for path in filter(Path.is_file, self.folder.rglob("*")):
            name = path.relative_to(self.folder)
            if (snapshot / name).exists() and not force_download:
                continue
            if any(fnmatch.fnmatch(str(name), pattern) for pattern in allow_patterns):
                (snapshot / name).parent.mkdir(exist_ok=True)
                shutil.copy(path, snapshot / name)
        return str(snapshot)

    def HfApi(self):  # noqa: N802  its name there
        return self

    def create_repo(self, repo_id, *, private, exist_ok):
        self.calls.append(("create", repo_id, private, exist_ok))

    def upload_folder(self, *, repo_id, folder_path, allow_patterns, commit_message):
        self.calls.append(("upload", repo_id, folder_path, allow_patterns))
        return "https://hub.example/me/my-vae"


@pytest.fixture
def folder(tmp_path):
    write_preset(tmp_path / "mine", {"class_name": "Anything"}, {"a": np.float32([1.5])})
    for name in ("recipe.toml", "README.md", "samples.png", "code.py", "secret.txt"):
        (tmp_path / "mine" / name).write_text("1")
    return tmp_path / "mine"


@pytest.fixture
def library(folder, monkeypatch):
    library = Hub(folder)
    monkeypatch.setitem(sys.modules, "huggingface_hub", library)
    monkeypatch.delenv("KERAS_VAE_OFFLINE", raising=False)
    return library


def test_the_double_takes_the_arguments_of_the_library():
    real = pytest.importorskip("huggingface_hub")
    import inspect

    for name in ("hf_hub_url", "snapshot_download"):
        names = set(inspect.signature(getattr(Hub, name)).parameters) - {"self"}
        assert names <= set(inspect.signature(getattr(real, name)).parameters)
    for name in ("create_repo", "upload_folder", "model_info"):
        names = set(inspect.signature(getattr(Hub, name)).parameters) - {"self"}
        assert names <= set(inspect.signature(getattr(real.HfApi, name)).parameters)


def test_only_data_are_downloaded(library, monkeypatch):
    found = presets.find("hf://me/my-vae")
    assert library.calls == [("me/my-vae", "abc", False)]
    assert {p.name for p in found.iterdir()} == {"config.json", "model.safetensors", "recipe.toml"}
    monkeypatch.setenv("KERAS_VAE_OFFLINE", "1")
    presets.find("hf://me/my-vae")
    assert library.calls[1] == ("me/my-vae", "abc", True)
    with pytest.raises(FileNotFoundError):
        presets.find("hf://me/other")  # which was never fetched


def test_what_is_damaged_is_fetched_again(library, monkeypatch):
    weights = presets.find("hf://me/my-vae") / "model.safetensors"
    assert not presets.mend("hf://me/my-vae")
    right = weights.read_bytes()
    weights.write_bytes(right[:-1] + b"\x77")
    with monkeypatch.context() as patch:
        patch.setenv("KERAS_VAE_OFFLINE", "1")
        assert not presets.mend("hf://me/my-vae")
    with pytest.warns(UserWarning, match="was damaged"):
        assert presets.mend("hf://me/my-vae")
    assert weights.read_bytes() == right


def test_an_address_is_described_by_what_is_fetched(library):
    assert presets.describe("hf://me/my-vae") == presets.find("hf://me/my-vae")


def test_a_repository_without_a_preset(library):
    (library.folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"holds no preset: model\.safetensors missing"):
        hub.download("hf://me/my-vae")


def test_a_repository_with_a_file_too_large_is_not_downloaded(library):
    library.sizes["model.safetensors"] = 1 << 40
    with pytest.raises(ValueError, match=r"model\.safetensors of 1,099,511,627,776 bytes"):
        presets.find("hf://me/my-vae")
    assert library.calls == []


def test_upload_takes_the_preset_and_its_card_and_nothing_else(library, folder):
    assert presets.upload(folder, "hf://me/my-vae", private=True) == "https://hub.example/me/my-vae"
    create, (_, name, path, patterns) = library.calls
    assert create == ("create", "me/my-vae", True, True)
    assert (name, path) == ("me/my-vae", str(folder))
    taken = {p.name for p in folder.iterdir() if any(fnmatch.fnmatch(p.name, t) for t in patterns)}
    assert taken == {
        "config.json",
        "model.safetensors",
        "recipe.toml",
        "README.md",
        "samples.png",
    }


@pytest.mark.parametrize("damage", [lambda data: b"1", lambda data: data[:-1] + b"\x77"])
def test_a_damaged_preset_is_not_uploaded(library, folder, damage):
    weights = folder / "model.safetensors"
    weights.write_bytes(damage(weights.read_bytes()))
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        presets.upload(folder, "hf://me/my-vae")
    assert library.calls == []


@pytest.mark.parametrize(
    "address", ["me/my-vae", "hf://me", "https://hub.example/me/x", "hf://../a"]
)
def test_addresses_that_are_none(library, folder, address):
    with pytest.raises(ValueError, match="hf://OWNER/NAME"):
        presets.upload(folder, address)


def test_an_address_of_a_file(library):
    assert hub.url_of("hf://me/zoo", "a/b") == "https://hub.example/me/zoo/resolve/main/a/b"


def test_the_error_without_the_library_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install keras-vae\[hub\]"):
        presets.find("hf://me/my-vae")


FOREIGN = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def foreign(library, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_VAE_HOME", str(tmp_path / "home"))
    shutil.rmtree(library.folder)
    Peer("tiny").write(library.folder)
    (library.folder / "diffusion_pytorch_model.bin").write_text("1")
    return library


def test_models_in_the_layout_of_diffusers_are_fetched_without_their_pickles(foreign):
    found = presets.find("hf://me/tiny")
    assert {p.name for p in found.iterdir()} == {"config.json", FOREIGN}
    assert isinstance(keras_vae.from_preset("hf://me/tiny"), keras_vae.Autoencoder)


def test_an_autoencoder_in_a_folder_of_a_generator(foreign):
    (foreign.folder / "vae").mkdir()
    for name in ("config.json", FOREIGN):
        (foreign.folder / name).rename(foreign.folder / "vae" / name)
    (foreign.folder / "config.json").write_text("{}")  # of the generator
    foreign.sizes["vae/config.json"] = 10
    found = presets.find("hf://me/generator/vae")
    assert {p.name for p in found.iterdir()} == {"config.json", FOREIGN}
    assert [p.name for p in found.parent.iterdir()] == ["vae"]
    assert isinstance(keras_vae.from_preset("hf://me/generator/vae"), keras_vae.Autoencoder)
    foreign.sizes[f"vae/{FOREIGN}"] = 1 << 40
    with pytest.raises(ValueError, match=rf"vae/{FOREIGN} of .* bytes"):
        presets.find("hf://you/generator/vae")
    for wrong in ("hf://me/generator/", "hf://me/generator/../vae", "hf://me/generator//vae"):
        with pytest.raises(ValueError, match=r"form hf://OWNER/NAME"):
            presets.find(wrong)


def test_their_first_revision_and_their_bytes_are_held(foreign, monkeypatch):
    found = presets.find("hf://me/tiny")
    monkeypatch.setattr(foreign, "revision", "newer")
    presets.find("hf://me/tiny")
    assert [revision for _, revision, _ in foreign.calls] == ["abc", "abc"]
    weights = (found / FOREIGN).read_bytes()
    (found / FOREIGN).write_bytes(weights[:-1] + b"\x77")
    with pytest.raises(ValueError, match=r"is not the file.*first fetched"):
        keras_vae.from_preset("hf://me/tiny")


def test_a_configuration_without_weights_in_their_layout(foreign):
    (foreign.folder / FOREIGN).unlink()
    with pytest.raises(ValueError, match=rf"holds no preset: {FOREIGN} missing"):
        presets.find("hf://me/tiny")
