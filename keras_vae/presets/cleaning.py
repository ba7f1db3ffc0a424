"""Frees space in the cache of downloaded files."""

import contextlib
import re
import shutil

from keras_vae.presets.fetching import cache
from keras_vae.presets.format.index import Entry

_REVISION = re.compile(r"[0-9a-f]{64}")


def clean(entries: dict[str, Entry], everything: bool = False) -> int:
    """Removes unused files of the cache, and returns the number of bytes freed.

    These are revisions that are not in the index, files set aside as damaged, and incomplete
    downloads. Files locked by another process remain. Nothing but `NAME/REVISION` is touched,
    whatever else is in the folder.

    Args:
        entries: Dict, `{name: Entry}`, the index.
        everything: Bool, whether to remove the files in use, too.
    """
    used = {cache.folder_of(entry): entry for entry in entries.values()}
    freed = 0
    for folder in cache.home().glob("*/*"):
        is_link = folder.is_symlink() or folder.parent.is_symlink()
        if is_link or not _REVISION.fullmatch(folder.name) or not folder.is_dir():
            continue
        before = _size(folder)
        if everything or folder not in used:
            _remove(folder)
        else:
            _tidy(folder, used[folder])
        freed += before - _size(folder)
    return freed


def _remove(folder):
    with contextlib.ExitStack() as stack:
        try:
            for path in folder.glob(".*.lock"):
                stack.enter_context(cache.lock_at(path, timeout=0))
        except OSError:  # another process holds it, or it is not a lock
            return
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()  # if it is empty now


def _tidy(folder, entry):
    for name in entry.files:
        target = folder / name
        with (
            contextlib.suppress(OSError),  # another process holds it, or it is not a lock
            cache.lock_at(cache.lock_path(target), timeout=0),
        ):
            cache.sweep(target)
            target.with_name(f"{name}.damaged").unlink(missing_ok=True)


def _size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
