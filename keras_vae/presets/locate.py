"""Where presets lie: the checkout's `zoo/`, and the few that travel in the wheel."""

import difflib
from pathlib import Path

from keras_vae.presets.files import CONFIG

RECIPE = "recipe.toml"
_PACKAGE = Path(__file__).parent
_ZOOS = (_PACKAGE.parents[1] / "zoo", _PACKAGE / "zoo")


def names():
    """Returns the names of all presets with weights, sorted."""
    return _names_with(CONFIG)


def recipe_names():
    """Returns the names of all presets that can be trained, sorted."""
    return _names_with(RECIPE)


def find(name_or_folder):
    """Returns the folder of a preset.

    Args:
        name_or_folder: one of `names()`, or a path to a folder written by `save_to_preset`.

    Raises:
        ValueError: there is no such preset.
    """
    return _find(name_or_folder, CONFIG, names())


def find_recipe(name_or_path):
    """Returns the path of a recipe, given as one of `recipe_names()`, a folder or a `.toml`.

    Raises:
        ValueError: there is no such recipe.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml" and path.is_file():
        return path
    return _find(name_or_path, RECIPE, recipe_names()) / RECIPE


def _names_with(file):
    return sorted({path.parent.name for zoo in _ZOOS for path in zoo.glob(f"*/{file}")})


def _find(name_or_folder, file, known):
    if name_or_folder in known:
        folders = [zoo / name_or_folder for zoo in _ZOOS]
        return next(folder for folder in folders if (folder / file).is_file())
    folder = Path(name_or_folder)
    if (folder / file).is_file():
        return folder
    raise ValueError(_unknown(str(name_or_folder), file, known))


def _unknown(name, file, known):
    if Path(name).is_dir():
        return f"The folder {name} holds no {file}: it is not a preset."
    if file == CONFIG and name in recipe_names():
        return (
            f"The preset {name!r} has a recipe but no weights here. Train them with "
            f"`keras-vae train {name}`, or choose one of: {', '.join(known) or 'none'}."
        )
    close = difflib.get_close_matches(name, known, n=1)
    advice = f" Did you mean {close[0]!r}?" if close else ""
    return (
        f"There is no preset {name!r}, neither by name nor as a folder.{advice} "
        f"Known names: {', '.join(known) or 'none'}."
    )
