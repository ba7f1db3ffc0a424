"""Where presets are: in the checkout's `zoo/`, in the wheel, in the cache, on the hub."""

import difflib
import os
from pathlib import Path

from keras_vae.presets.fetching import cached_weights
from keras_vae.presets.fetching import hub
from keras_vae.presets.format.index import INDEX
from keras_vae.presets.format.index import Entry
from keras_vae.presets.format.index import read_index
from keras_vae.presets.format.preset_files import CONFIG
from keras_vae.presets.format.preset_files import WEIGHTS
from keras_vae.presets.interchange import is_foreign

RECIPE = "recipe.toml"
_PACKAGE = Path(__file__).parent
_ZOOS = (_PACKAGE.parents[1] / "zoo", _PACKAGE / "zoo")


def names() -> list[str]:
    """Returns the sorted names of all presets with weights, whether local or to be downloaded."""
    return _names_with(CONFIG)


def recipe_names() -> list[str]:
    """Returns the sorted names of all presets that can be trained."""
    return _names_with(RECIPE)


def entries() -> dict[str, Entry]:
    """Returns the index as `{name: Entry}`: sizes, sha256, tensors, licences and metrics."""
    return next((read_index(zoo / INDEX) for zoo in _ZOOS if (zoo / INDEX).is_file()), {})


def installed_folders(name: str) -> list[Path]:
    """Returns the folders of this name in the checkout and the installation."""
    return [zoo / name for zoo in _ZOOS if (zoo / name).is_dir()]


def is_here(name: str) -> bool:
    """Returns whether a preset's weights are on this machine, so that `find` needs no connection.

    Args:
        name: String, one of `names()`.
    """
    if _first(name, CONFIG, WEIGHTS):
        return True
    entry = entries().get(name)
    return entry is not None and cached_weights.is_here(entry)


def describe(name_or_folder: str | os.PathLike) -> Path:
    """Returns a folder with a preset's texts: recipe, configuration, metrics.

    Downloads nothing, unless given the address of a repository.

    Args:
        name_or_folder: One of `names()` or `recipe_names()`, the path of a preset's folder, or
            `hf://owner/name`.

    Raises:
        ValueError: If there is no such preset.
    """
    name = _checked(name_or_folder)
    if hub.is_address(name):
        return hub.download(name)
    folder = _first(name, CONFIG) or _first(name, RECIPE) or Path(name)
    if any((folder / file).is_file() for file in (CONFIG, RECIPE)):
        return folder
    raise ValueError(_unknown(name, CONFIG, names()))


def find(name_or_folder: str | os.PathLike, thorough: bool = True) -> Path:
    """Returns the folder of a preset, downloaded and verified if it is not installed.

    Args:
        name_or_folder: One of `names()`, the path of a folder written by `save_to_preset` or of a
            model that `interchange` reads, or `hf://owner/name`, a repository on the Hugging Face
            hub (or `hf://owner/name/folder`).
        thorough: Bool. If false, existing weights are not verified here: `Preset.read_tensors`
            verifies them, and `mend` downloads them again if they are damaged.

    Raises:
        ValueError: If there is no such preset.
        FetchError: If its weights are missing and cannot be downloaded, for example because
            `KERAS_VAE_ZOO` is not set.
    """
    _checked(name_or_folder)
    if hub.is_address(name_or_folder):
        return hub.download(name_or_folder)
    if whole := _first(name_or_folder, CONFIG, WEIGHTS):
        return whole
    if name_or_folder not in names() and is_foreign(name_or_folder):
        return Path(name_or_folder)
    folder = _find(name_or_folder, CONFIG, names())
    entry = entries().get(name_or_folder)  # type: ignore[arg-type]
    return cached_weights.obtain(entry, folder, thorough=thorough) if entry else folder


def mend(name_or_folder: str | os.PathLike) -> bool:
    """Verifies a preset's files and downloads damaged ones again.

    Returns whether loading it again may succeed: never for a preset of the installation or in a
    user's folder.

    Args:
        name_or_folder: See `find`.

    Raises:
        FetchError: If the files cannot be downloaded.
    """
    _checked(name_or_folder)
    if hub.is_address(name_or_folder):
        return hub.mend(name_or_folder)
    if name_or_folder not in entries() or _first(name_or_folder, CONFIG, WEIGHTS):
        return False
    find(name_or_folder)
    return True


def find_recipe(name_or_path: str | os.PathLike) -> Path:
    """Returns the path of a recipe, given as one of `recipe_names()`, a folder or a `.toml` file.

    Raises:
        ValueError: If there is no such recipe.
    """
    path = Path(_checked(name_or_path, "name_or_path"))
    if path.suffix == ".toml":
        if not path.is_file():
            raise ValueError(f"There is no recipe file {path}.")
        return path
    return _find(name_or_path, RECIPE, recipe_names()) / RECIPE


def _checked(name_or_folder, argument="name_or_folder"):
    """Returns the text of a name or path.

    Raises:
        ValueError: If it is neither.
    """
    if not isinstance(name_or_folder, str | os.PathLike) or not str(name_or_folder):
        raise ValueError(
            f"`{argument}` must be the name of a preset, such as 'vae_mnist', the path of its "
            f"folder, or 'hf://owner/name'. Received: {name_or_folder!r}."
        )
    return str(name_or_folder)


def _names_with(file):
    return sorted({path.parent.name for zoo in _ZOOS for path in zoo.glob(f"*/{file}")})


def _first(name, *files):
    """Returns the first folder of this name in a zoo that contains all `files`, or `None`."""
    if name not in _names_with(files[0]):
        return None
    folders = [zoo / name for zoo in _ZOOS]
    return next((f for f in folders if all((f / file).is_file() for file in files)), None)


def _find(name_or_folder, file, known):
    if name_or_folder in known:
        return _first(name_or_folder, file)
    folder = Path(name_or_folder)
    if (folder / file).is_file():
        return folder
    raise ValueError(_unknown(str(name_or_folder), file, known))


def _unknown(name, file, known):
    if Path(name).is_dir():
        return f"The folder {name} holds no {file}: it is not a preset."
    if file == CONFIG and name in recipe_names():
        return (
            f"The preset {name!r} has a recipe but no weights here. Train it with "
            f"`keras-vae train {name}`, or choose one of: {', '.join(known) or 'none'}."
        )
    close = difflib.get_close_matches(name, known, n=1)
    advice = f" Did you mean {close[0]!r}?" if close else ""
    return (
        f"There is no preset {name!r}, neither by name nor as a folder.{advice} "
        f"Known names: {', '.join(known) or 'none'}."
    )
