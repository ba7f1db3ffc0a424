"""Verifies the files of presets."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from keras_vae.presets import finding
from keras_vae.presets.fetching import cache
from keras_vae.presets.fetching import sources
from keras_vae.presets.format.index import Entry
from keras_vae.presets.format.preset_files import read_preset
from keras_vae.presets.format.regular_files import opened


class Finding(NamedTuple):
    """The result for one file or folder.

    Attributes:
        path: `pathlib.Path`.
        problem: String, what is wrong with it, or "".
    """

    path: Path
    problem: str


def verify(name_or_folder: str | os.PathLike) -> list[Finding]:
    """Returns a list of `Finding`s, one per file of a preset, wherever it is on this machine.

    A preset of the index is compared with the index wherever it is: in this installation, in that
    of `keras-vae-zoo`, in the cache, and in folders of `KERAS_VAE_ZOO`. Any other preset is
    compared with its own `config.json`.

    Args:
        name_or_folder: The name of a preset, or its folder.

    Raises:
        ValueError: If there is no such preset, or its weights are not on this machine.
    """
    entry = finding.entries().get(str(name_or_folder))
    if entry is None:
        return [_by_itself(finding.find(name_or_folder))]
    findings = of_entry(entry)
    if not any(finding.problem for finding in findings) and not finding.is_here(entry.name):
        raise ValueError(
            f"The weights of {entry.name!r} are not here. Run `keras-vae download {entry.name}`."
        )
    return findings


def of_entry(entry: Entry) -> list[Finding]:
    """Returns the `Finding`s of a preset of the index, none if no file of it is on this machine."""
    findings = []
    published = [f for f in sources.folders(sources.configured(), entry) if f.name != entry.name]
    data_only = [Path(folder) / entry.name for folder in sources.installed()]
    for folder in (*finding.installed_folders(entry.name), *data_only, *published):
        # An installation may contain the texts without the weights.
        there = [name for name in entry.files if (folder / name).exists()]
        findings += [_compared(folder / name, entry.files[name]) for name in there]
    cached = cache.folder_of(entry)
    if any((cached / name).exists() for name in entry.files):
        findings += [_compared(cached / name, file) for name, file in entry.files.items()]
    return findings


def _compared(path, expected):
    try:
        with opened(path) as (file, size):
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return Finding(path, f"cannot be read: {error.strerror}")
    if size != expected.size:
        return Finding(path, f"has {size:,} bytes instead of {expected.size:,}")
    is_right = digest == expected.sha256
    return Finding(
        path, "" if is_right else "has a wrong sha256: it is damaged, or of another version"
    )


def _by_itself(folder):
    try:
        read_preset(folder).read_tensors()
    except ValueError as error:
        return Finding(folder, str(error))
    return Finding(folder, "")
