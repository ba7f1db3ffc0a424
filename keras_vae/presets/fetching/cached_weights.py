"""The weights of a preset that is in the index but not in the installation."""

import contextlib
from pathlib import Path

from keras_vae.atomic_files import write_atomically
from keras_vae.presets.fetching import cache
from keras_vae.presets.fetching import sources
from keras_vae.presets.fetching.fetch import FetchError
from keras_vae.presets.fetching.fetch import fetch
from keras_vae.presets.fetching.settings import Settings
from keras_vae.presets.format.index import Entry
from keras_vae.presets.format.preset_files import CONFIG
from keras_vae.presets.format.preset_files import WEIGHTS
from keras_vae.presets.format.regular_files import holds
from keras_vae.presets.format.regular_files import opened
from keras_vae.presets.format.regular_files import size_of

_TEXTS = ("recipe.toml", "metrics.json")
_LOCK_TIMEOUT = 60.0


def obtain(
    entry: Entry, texts: Path, settings: Settings | None = None, thorough: bool = True
) -> Path:
    """Returns a folder with a preset's files, all of them verified.

    Files that are not in the cache are taken from `KERAS_VAE_ZOO`, otherwise from the distribution
    `keras-vae-zoo`, otherwise from the default address. A complete folder is used in place. Missing
    weights are downloaded into the cache, next to the installation's own configuration: a download
    never determines the architecture of a model.

    Args:
        entry: `Entry` of the index.
        texts: `pathlib.Path`, the preset's folder in the installation, without weights.
        settings: `Settings` of the download.
        thorough: Bool. If false, only the size of the weights is checked, for a caller that
            compares what it reads with the digest in the configuration.

    Raises:
        FetchError: If the weights are missing and cannot be downloaded.
        OSError: If the folder in the cache is a link, or cannot be written to.
        ValueError: If the configuration in `texts` is not that of the index.
    """
    folder = cache.folder_of(entry)
    cache.check_folder(folder)
    if not _is_whole(folder, entry, thorough, follow_links=False):
        addresses = sources.configured()
        if place := _first_whole(addresses, entry, thorough):
            return place
        installed = _first_whole(sources.installed(), entry, thorough)
        if installed is None:  # one download from all of them shares one patience
            addresses += sources.DEFAULT
        try:
            _fetch_weights(folder, entry, addresses, settings or Settings())
        except FetchError:
            if installed is None:
                raise
            return installed
    _copy_texts(texts, folder, entry)
    return folder


def is_here(entry: Entry) -> bool:
    """Returns whether a preset's files, by size, are in the cache or in a folder of a source.

    Args:
        entry: `Entry` of the index.
    """
    places = sources.folders([*sources.configured(), *sources.installed()], entry)
    return _is_complete(cache.folder_of(entry), entry, follow_links=False) or any(
        _is_complete(folder, entry) for folder in places
    )


def _is_complete(folder, entry, follow_links=True):
    return all(
        size_of(folder / name, follow_links) == file.size for name, file in entry.files.items()
    )


def _first_whole(addresses, entry, thorough):
    folders = sources.folders(addresses, entry)
    return next((folder for folder in folders if _is_whole(folder, entry, thorough)), None)


def _is_whole(folder, entry, thorough, follow_links=True):
    """Returns whether a folder holds a preset's files. See `obtain` for the arguments."""
    return all(
        size_of(folder / name, follow_links) == file.size
        if name == WEIGHTS and not thorough
        else holds(folder / name, file.size, file.sha256, follow_links)
        for name, file in entry.files.items()
    )


def _fetch_weights(folder, entry, addresses, settings):
    for name, file in entry.files.items():
        if name == CONFIG or cache.holds(folder / name, file.size, file.sha256):
            continue
        urls = sources.urls(addresses, entry, name)
        if not urls and not cache.is_offline():
            raise FetchError(sources.how_to_set(entry.name, addresses))
        fetch(urls, folder / name, file.size, file.sha256, settings)


def _copy_texts(texts, folder, entry):
    """Writes the installation's own texts next to the weights if they are missing or differ."""
    own = {name: (texts / name).read_bytes() for name in (CONFIG, *_TEXTS) if size_of(texts / name)}
    file = entry.files[CONFIG]
    if not holds(texts / CONFIG, file.size, file.sha256):
        raise ValueError(
            f"{texts / CONFIG} is not the file named in the index of this installation: install "
            "keras-vae again."
        )
    changed = {k: v for k, v in own.items() if not _is_same(folder / k, v)}
    if not changed:
        return
    # A read-only cache will do, as long as the configuration in it is right.
    with contextlib.nullcontext() if CONFIG in changed else contextlib.suppress(OSError):
        _write_texts(folder, changed)


def _write_texts(folder, texts):
    with cache.lock_at(cache.lock_path(folder / CONFIG), _LOCK_TIMEOUT):
        for name, data in texts.items():
            cache.sweep(folder / name)
            write_atomically(folder / name, data)


def _is_same(path, data):
    try:
        with opened(path, follow_links=False) as (file, size):
            return size == len(data) and file.read() == data
    except OSError:
        return False
