"""Fetches a file in a process of its own, which starts fast: neither Keras nor NumPy is imported.

python -S fetch_worker.py PACKAGES URL TARGET SIZE SHA256 [MAX_FILE_BYTES]

PACKAGES is the folder of filelock, which without `site` is not found.
"""

import sys
import types
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "keras_vae"


def import_fetch():
    """Returns the modules `fetch` and `settings`, without what their packages import."""
    for name, folder in (("keras_vae", PACKAGE), ("keras_vae.presets", PACKAGE / "presets")):
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    from keras_vae.presets.fetching import fetch
    from keras_vae.presets.fetching import settings

    assert not {"keras", "numpy"} & sys.modules.keys()
    return fetch, settings


def main(packages, url, target, size, sha256, max_file_bytes=None):
    sys.path.append(packages)  # last: a package may bear the name of a module of Python's own
    fetch, settings = import_fetch()
    if max_file_bytes:  # a disk that is full
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (int(max_file_bytes),) * 2)
    try:
        fetch.fetch([url], target, int(size), sha256, settings.Settings(first_pause=0.05))
    except fetch.FetchError as error:
        sys.exit(f"FetchError: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
