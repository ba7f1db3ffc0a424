"""Work through many sources, a file of each, that goes on where it was interrupted."""

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from typing import NamedTuple

from keras_vae.atomic_files import write_atomically
from keras_vae.terminal import is_live

_JOURNAL = ".unfinished"  # in the folder until all is made: by what settings, and what of it


class Source(NamedTuple):
    """What a file is made of.

    Attributes:
        path: Path of the file that it is read from.
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
    """Makes a file of each source, and returns `{name: path}` of all that could be made.

    What an interrupted call with the same settings has made of the same sources is kept. All else
    that lies at the same places is written anew. Until `finish` is called the next call counts this
    one as interrupted.

    Args:
        sources: `{name: Source}`; a name is a relative path.
        folder: where the files are to be, at the same relative paths.
        ending: of the files, after the name.
        make: function of what was read that returns the bytes of the file.
        settings: what the files depend on beside their sources.

    Raises:
        ValueError: If none could be made.
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
    """Ends what `work_through` made in a folder: the next call makes all anew."""
    (folder / _JOURNAL).unlink(missing_ok=True)


def _read(journal, by):
    """Returns `{name: state of its source}` of what was made, or `None` where nothing was begun by
    these settings."""
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
    except OSError:  # to read it will say why
        return None
    return [found.st_mtime_ns, found.st_size]
