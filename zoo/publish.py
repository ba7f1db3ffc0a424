"""Lays out the zoo for any static file server: `python zoo/publish.py FOLDER`.

Every preset of `index.json` is copied to `FOLDER/NAME/REVISION/`, with its card and pictures. A
revision is a sha256 of the contents, so that publishing again adds what is new and never changes
what an installed version of the library asks for. Serve the folder, and set `KERAS_VAE_ZOO` to its
address (or to the folder itself):

    python zoo/publish.py /srv/zoo
    python -m http.server --directory /srv 8000
    KERAS_VAE_ZOO=http://localhost:8000/zoo keras-vae sample vae_mnist
"""

import argparse
from pathlib import Path

from keras_vae.atomic_files import write_atomically
from keras_vae.presets.fetching import cache
from keras_vae.presets.format.index import INDEX
from keras_vae.presets.format.index import read_index

ZOO = Path(__file__).parent


def publish(folder, zoo=ZOO):
    """Copies every preset of a zoo's index into `folder`; returns how many files were written.

    Args:
        folder: path, made where it is missing.
        zoo: `pathlib.Path`.

    Raises:
        ValueError: a file is not the one that the index names. Nothing of its preset is copied.
    """
    folder = Path(folder)
    entries = read_index(zoo / INDEX).values()
    num_written = sum(_publish_preset(entry, zoo, folder) for entry in entries)
    return num_written + _copy(zoo / INDEX, folder / INDEX)


def _publish_preset(entry, zoo, folder):
    for name, file in entry.files.items():
        if not cache.holds(zoo / entry.name / name, file.size, file.sha256):
            raise ValueError(
                f"{zoo / entry.name / name} is not the file of {zoo / INDEX}: write the index "
                "again with `python zoo/train.py --cards`."
            )
    target = folder / entry.name / entry.revision
    sources = [path for path in sorted((zoo / entry.name).iterdir()) if path.is_file()]
    return sum(_copy(source, target / source.name) for source in sources)


def _copy(source, target):
    data = source.read_bytes()
    if target.is_file() and target.read_bytes() == data:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, data)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="FOLDER", help="what a static file server serves")
    folder = parser.parse_args().folder
    print(f"{publish(folder)} files written into {folder}")


if __name__ == "__main__":
    main()
