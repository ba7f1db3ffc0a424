"""Resumable processing of many sources, with an output file for each."""

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from typing import NamedTuple

from keras_vae.atomic_files import write_atomically
from keras_vae.terminal import is_live

_JOURNAL = ".unfinished"  # in the folder until all files are done: the settings, and finished files


class Source(NamedTuple):
    """The source of an output file.

    Attributes:
        path: Path of the file to read.
        read: Function that reads it.
    """

    path: Path
    read: Callable[[], Any]


def work_through(
    sources: dict[str, Source],
    folder: Path,
    ending: str,
    make: Callable[[Any], bytes],
    settings: dict[str, Any],
) -> dict[str, Path]:
    """Makes a file from each source, and returns `{name: path}` for all that succeeded.

    Files that an interrupted call with the same settings has made from the same sources are kept.
    Any other files at the same paths are overwritten. Until `finish` is called, the next call
    treats this one as interrupted.

    Args:
        sources: `{name: Source}`; a name is a relative path.
        folder: Folder of the files, which have the same relative paths.
        ending: Ending of the files, after the name.
        make: Function from the content that was read to the bytes of the file.
        settings: Settings that the files depend on, besides their sources.

    Raises:
        ValueError: If no file could be made.
    """
    import keras

    journal, by = folder / _JOURNAL, json.dumps(settings, sort_keys=True)
    before = _read(journal, by)
    made, bar = {}, keras.utils.Progbar(len(sources), verbose=int(is_live()), unit_name="picture")
    for name, source in sources.items():
        path = folder / f"{name}{ending}"
        try:
            state = _state_of(source.path)
            if not (path.is_file() and before and before.get(name) == state):
                content = make(source.read())
                if before is None:
                    write_atomically(journal, by.encode())
                    before = {}
                write_atomically(path, content)
                with journal.open("a") as file:
                    file.write(f"\n{json.dumps([name, state])}")
            made[name] = path
        except ValueError as error:
            print(f"\nskipped {name}: {' '.join(str(error).split())}", file=sys.stderr)
        bar.add(1)
    if not made:
        raise ValueError("None of the pictures could be used; see above.")
    return made


def finish(folder: Path) -> None:
    """Marks the work in a folder as finished: the next call of `work_through` starts over."""
    (folder / _JOURNAL).unlink(missing_ok=True)


def _read(journal, by):
    """Returns `{name: state of its source}` for finished files, or `None` if nothing was started
    with these settings."""
    if not journal.is_file():
        return None
    settings, *lines = journal.read_text().splitlines()
    if settings != by:
        return None
    made = {}
    for line in lines:
        with contextlib.suppress(ValueError):  # an interruption may have cut it
            name, state = json.loads(line)
            made[name] = state
    return made


def _state_of(path):
    try:
        found = path.stat()
    except OSError:  # reported when it is read
        return None
    return [found.st_mtime_ns, found.st_size]
