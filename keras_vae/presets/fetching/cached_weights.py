"""The weights of a preset that is in the index but not in the installation."""

import contextlib
from pathlib import Path

import filelock

from keras_vae.presets.fetching import cache
from keras_vae.presets.fetching import sources
from keras_vae.presets.fetching.fetch import FetchError
from keras_vae.presets.fetching.fetch import fetch
from keras_vae.presets.fetching.settings import Settings
from keras_vae.presets.format.atomic_files import write_atomically
from keras_vae.presets.format.index import Entry
from keras_vae.presets.format.preset_files import CONFIG
from keras_vae.presets.format.preset_files import WEIGHTS

_TEXTS = ("recipe.toml", "metrics.json")
_LOCK_TIMEOUT = 60.0


def obtain(
    entry: Entry, texts: Path, settings: Settings | None = None, thorough: bool = True
) -> Path:
    """Returns a folder with a preset's files, all of them verified.

    What is not in the cache is taken from `KERAS_VAE_ZOO`, or else from the distribution
    `keras-vae-zoo`, or else from the default address. A complete folder is used in place. Missing
    weights are downloaded into the cache, with the installation's own configuration next to them: a
    download never determines what a model is made of.

    Args:
        entry: `Entry` of the index.
        texts: `pathlib.Path`, the preset's folder in the installation, without weights.
        settings: `Settings` of the download.
        thorough: Bool. If false, only the size of the weights is checked, for a caller that
            compares what it reads with the digest in the configuration.

    Raises:
        FetchError: If the weights are missing and cannot be downloaded.
        ValueError: If the configuration in `texts` is not that of the index.
    """
    folder = cache.folder_of(entry)
    if not _is_whole(folder, entry, thorough):
        failures = []
        for addresses in sources.in_order():
            for other in sources.folders(addresses, entry):
                if _is_whole(other, entry, thorough):
                    return other
            try:
                if _fetch_weights(folder, entry, addresses, settings or Settings()):
                    break
            except FetchError as failure:
                failures.append(failure)
        else:
            raise _failure(entry, failures)
    _copy_texts(texts, folder, entry)
    return folder


def is_here(entry: Entry) -> bool:
    """Returns whether a preset's files, by size, are in the cache or in a folder of a source.

    Args:
        entry: `Entry` of the index.
    """
    every = [address for addresses in sources.in_order() for address in addresses]
    places = [cache.folder_of(entry), *sources.folders(every, entry)]
    return any(
        all(_size(folder / name) == file.size for name, file in entry.files.items())
        for folder in places
    )


def _is_whole(folder, entry, thorough=True):
    """Returns whether a folder holds a preset's files. See `obtain` for the arguments."""
    return all(
        _size(folder / name) == file.size
        if name == WEIGHTS and not thorough
        else cache.holds(folder / name, file.size, file.sha256)
        for name, file in entry.files.items()
    )


def _size(path):
    try:
        return path.stat().st_size
    except OSError:
        return None


def _fetch_weights(folder, entry, addresses, settings):
    """Fetches what is not in the cache, and returns whether all of it is there then."""
    for name, file in entry.files.items():
        if name == CONFIG or cache.holds(folder / name, file.size, file.sha256):
            continue
        urls = sources.urls(addresses, entry, name)
        if not urls:
            return False
        fetch(urls, folder / name, file.size, file.sha256, settings)
    return True


def _failure(entry, failures):
    """Returns what to raise where no source holds the weights."""
    if failures:
        return failures[0]  # of what is set, if anything is
    words = sources.how_to_set(entry.name, sources.configured())
    offline = " (KERAS_VAE_OFFLINE forbids every connection.)" if cache.is_offline() else ""
    return FetchError(words + offline)


def _copy_texts(texts, folder, entry):
    """Writes the installation's own texts next to the weights if they are missing or differ."""
    own = {name: (texts / name).read_bytes() for name in (CONFIG, *_TEXTS) if _size(texts / name)}
    file = entry.files[CONFIG]
    if not cache.holds(texts / CONFIG, file.size, file.sha256):
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
    with filelock.FileLock(cache.lock_path(folder / CONFIG), timeout=_LOCK_TIMEOUT):
        for name, data in texts.items():
            cache.sweep(folder / name)
            write_atomically(folder / name, data)


def _is_same(path, data):
    try:
        return path.read_bytes() == data
    except OSError:
        return False
