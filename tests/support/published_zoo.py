"""A zoo of one preset, `vae_a`: for tests of files and an index, mostly without a model in them."""

import json
import shutil

import numpy as np

from keras_vae import presets
from keras_vae.presets import finding
from keras_vae.presets import index_writing
from keras_vae.presets.fetching import cache
from keras_vae.presets.fetching import sources
from keras_vae.presets.format.preset_files import write_preset

METRICS = {"test": {}, "training": {"num_parameters": 1000}, "data": {"description": ""}}
PACKAGE = "keras_vae_zoo_of_tests"  # in place of the distribution of data, if it is installed here
TENSOR = np.random.default_rng(0).random(1000, dtype="float32")


def install(folder, monkeypatch, weights=True, model=None):
    """Makes the zoo the installed one, with weights or without; returns its folder.

    The checkout that it was published from stays in `folder / "checkout"`.
    """
    checkout = folder / "checkout"
    if model is None:
        write_preset(checkout / "vae_a", {"class_name": "Anything"}, {"a": TENSOR})
    else:
        model.save_to_preset(checkout / "vae_a")
    (checkout / "vae_a" / "metrics.json").write_text(json.dumps(METRICS))
    (checkout / "vae_a" / "recipe.toml").write_text('summary = "1"')
    index_writing.write_index(checkout)
    ignore = None if weights else shutil.ignore_patterns("*.safetensors")
    shutil.copytree(checkout, folder / "site", ignore=ignore)
    monkeypatch.setattr(finding, "_ZOOS", (folder / "none", folder / "site"))
    monkeypatch.setenv("KERAS_VAE_HOME", str(folder / "home"))
    for name in ("KERAS_VAE_ZOO", "KERAS_VAE_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sources, "_PACKAGE", PACKAGE)
    monkeypatch.setattr(sources, "DEFAULT", ())
    return folder / "site"


def install_package(folder, monkeypatch):
    """Installs the distribution of data that holds the preset; returns where it lies."""
    place = folder / "packages" / PACKAGE / "vae_a"
    shutil.copytree(folder / "checkout" / "vae_a", place)
    monkeypatch.syspath_prepend(folder / "packages")
    return place


def fill_cache(folder):
    """Puts the preset into the cache, as if it had been fetched; returns where it lies."""
    cached = cache.folder_of(presets.entries()["vae_a"])
    cached.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        shutil.copy(folder / "checkout" / "vae_a" / name, cached)
    return cached
