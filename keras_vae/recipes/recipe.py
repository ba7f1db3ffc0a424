"""A recipe: the text file from which a preset's weights and numbers follow."""

import dataclasses
import inspect
import tomllib
from pathlib import Path

import keras

from keras_vae import layers
from keras_vae import models
from keras_vae import networks
from keras_vae import priors

# What a recipe may name. Nothing else is looked up, so a recipe cannot run foreign code.
_ROOMS = (layers, models, networks, priors)
_TABLES = {
    "data": {"name", "binarize", "validation_size", "image_size"},
    "training": {"epochs", "batch_size", "seed", "learning_rate", "final_learning_rate"},
    "evaluation": {"num_samples", "seed"},
}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A parsed recipe; see `zoo/README.md` for the meaning of each table.

    Attributes:
        name: the preset's name, the folder the recipe lies in.
        summary: one sentence for the card.
        data, model, encoder, decoder, likelihood, training, evaluation: dict, the TOML tables.
        published: list of dicts, numbers of papers to compare with.
    """

    name: str
    summary: str
    data: dict
    model: dict
    encoder: dict
    decoder: dict
    training: dict
    evaluation: dict
    likelihood: dict = dataclasses.field(default_factory=lambda: {"class": "BernoulliLikelihood"})
    published: list = dataclasses.field(default_factory=list)
    limits: str = ""

    @property
    def is_dynamic(self):
        """Whether training draws its black-and-white pictures anew at each use."""
        return self.data.get("binarize") == "dynamic"


def read_recipe(path):
    """Returns the `Recipe` in the file `path`.

    Raises:
        ValueError: the file is not TOML, or lacks or misspells a table or a key.
    """
    path = Path(path)
    try:
        tables = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"The recipe {path} cannot be read: {error}") from error
    fields = {f.name for f in dataclasses.fields(Recipe)} - {"name"}
    required = fields - {"likelihood", "published", "limits"}
    _check_keys(path, "", tables, fields, required)
    for table, known in _TABLES.items():
        _check_keys(path, f"[{table}] ", tables[table], known, set())
    _check_keys(path, "[training] ", tables["training"], _TABLES["training"], {"epochs"})
    return Recipe(name=path.parent.name or path.stem, **tables)


def build_model(recipe, data_shape, seed):
    """Returns the recipe's model, not compiled, for examples of shape `data_shape`."""
    likelihood = _build(recipe.likelihood)
    latent_dim = recipe.encoder["latent_dim"]
    encoder = _build(recipe.encoder, input_shape=data_shape)
    decoder = _build(
        recipe.decoder,
        output_shape=data_shape,
        latent_dim=latent_dim,
        num_parameters=likelihood.num_parameters,
    )
    return _build(
        recipe.model, encoder=encoder, decoder=decoder, likelihood=likelihood, seed=seed
    )


def build_optimizer(recipe, num_updates):
    """Returns Adam with a cosine schedule from `learning_rate` to `final_learning_rate`."""
    start = recipe.training.get("learning_rate", 1e-3)
    end = recipe.training.get("final_learning_rate", start / 100)
    schedule = keras.optimizers.schedules.CosineDecay(start, num_updates, alpha=end / start)
    return keras.optimizers.Adam(schedule)


def _build(table, **given):
    """Calls the constructor that `table["class"]` names with the rest of the table."""
    name = table.get("class")
    found = [getattr(room, name) for room in _ROOMS if name and hasattr(room, name)]
    if not found or not inspect.isclass(found[0]):
        raise ValueError(f"A recipe's `class` must be a public class of keras_vae, not {name!r}.")
    arguments = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items() if k != "class"}
    return found[0](**given, **arguments)


def _check_keys(path, table, found, known, required):
    unknown, missing = set(found) - known, required - set(found)
    if unknown or missing:
        raise ValueError(
            f"The recipe {path} is not as expected: {table}"
            f"unknown keys {sorted(unknown) or 'none'}, missing keys {sorted(missing) or 'none'}. "
            f"Known keys: {', '.join(sorted(known))}."
        )
