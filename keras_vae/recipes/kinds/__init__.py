"""The kinds of data of recipes: a table of them, and a file for each."""

from keras_vae.recipes.kinds.kind import Kind
from keras_vae.recipes.kinds.pictures import Pictures
from keras_vae.recipes.kinds.tables import Tables
from keras_vae.recipes.kinds.texts import Texts

PICTURES = "pictures"  # the default
KINDS: dict[str, Kind] = {PICTURES: Pictures(), "tables": Tables(), "texts": Texts()}


def kind_of(data: dict) -> Kind:
    """Returns the `Kind` of a recipe's data.

    Args:
        data: Dict, the table `[data]` of a recipe.

    Raises:
        ValueError: If its `kind` is none of `KINDS`.
    """
    name = data.get("kind", PICTURES)
    if name not in KINDS:
        known = ", ".join(f'"{k}"' for k in KINDS)
        raise ValueError(f"`kind` of [data] must be one of {known}. Received: {name!r}.")
    return KINDS[name]
