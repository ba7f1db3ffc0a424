"""Fetches a file in a process of its own, which starts fast: neither Keras nor NumPy is imported.

python fetch_worker.py URL TARGET SIZE SHA256 [MAX_FILE_BYTES]
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
    from keras_vae.presets import fetch
    from keras_vae.presets import settings

    assert not {"keras", "numpy"} & sys.modules.keys()
    return fetch, settings


def main(url, target, size, sha256, max_file_bytes=None):
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
