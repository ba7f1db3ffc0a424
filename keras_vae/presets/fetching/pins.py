"""Pins fetched files to the revision and sha256 with which they were first seen.

A preset of this library contains the digests of its files. Others do not, so the files that a
repository held when it was first fetched are recorded in `HOME/pins`, and enforced from then on.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from keras_vae.atomic_files import write_atomically
from keras_vae.presets.fetching import cache
from keras_vae.presets.format import strict_json
from keras_vae.presets.format.regular_files import opened

_LONGEST_REVISION = 64


def revision_of(name: str) -> str | None:
    """Returns the revision that "owner/name" is pinned to, or `None`.

    Raises:
        ValueError: If its pin file is damaged.
    """
    found = _read(name)
    return found["revision"] if found else None


def hold(name: str, revision: str | None, folder: Path, files: Iterable[str]) -> None:
    """Records a repository's files when they are first seen, and later compares them.

    Args:
        name: String, "owner/name".
        revision: String, or `None` without a connection: then nothing new is recorded.
        folder: `pathlib.Path` of the files.
        files: The names of the files.

    Raises:
        ValueError: If a file has changed since it was first seen.
    """
    found = _read(name)
    digests = {file: _sha256(folder / file) for file in files}
    if found is None:
        if revision is not None:
            text = json.dumps({"revision": revision, "sha256": digests}, indent=2)
            write_atomically(_path(name), text.encode())
        return
    changed = [file for file, digest in digests.items() if found["sha256"].get(file) != digest]
    if changed:
        raise ValueError(
            f"{folder / changed[0]} is not the file that hf://{name} held when it was first "
            f"fetched (its sha256 differs from that in {_path(name)}): it is damaged, or was "
            "replaced. Delete the copy to fetch it again; to take a newer revision, delete that "
            "note."
        )


def see(name: str, revision: str) -> None:
    """Records the revision of "owner/name" that was fetched last, without pinning it.

    It is needed without a connection: `huggingface_hub` caches files requested by revision without
    recording that the name led there.
    """
    if last_seen(name) != revision:
        write_atomically(_seen(name), revision.encode())


def last_seen(name: str) -> str | None:
    """Returns the revision that `see` recorded, or `None`."""
    try:
        with opened(_seen(name), follow_links=False) as (file, _):
            found = file.read(_LONGEST_REVISION + 1).decode("ascii")
    except (OSError, ValueError):
        return None
    return found if found.isalnum() and len(found) <= _LONGEST_REVISION else None


def _path(name):
    return cache.home() / "pins" / f"{_as_file(name)}.json"


def _seen(name):
    return cache.home() / "seen" / _as_file(name)


def _as_file(name):
    return name.replace("/", "--")


def _read(name):
    path = _path(name)
    if not os.path.lexists(path):
        return None
    try:
        with opened(path, follow_links=False) as (file, _):
            found = strict_json.parse(file.read(strict_json.MAX_BYTES + 1))
        if isinstance(found["revision"], str) and isinstance(found["sha256"], dict):
            return found
    except (KeyError, TypeError, ValueError, OSError):
        pass
    raise ValueError(f"{path}, the note of what hf://{name} held, is damaged: delete it.")


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
