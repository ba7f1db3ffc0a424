"""From the tables of a recipe to a model and its optimizer."""

from typing import Any

import keras
import numpy as np

from keras_vae.models import GenerativeModel
from keras_vae.recipes.named_classes import arguments_of
from keras_vae.recipes.named_classes import class_named
from keras_vae.recipes.recipe import Recipe

# Each part may depend on the shapes of those before it.
_ORDER = (
    "likelihood",
    "condition",
    "codes",
    "encoder",
    "encoders",
    "decoder",
    "decoders",
    "network",
    "discriminator",
    "quantizer",
    "quantizers",
    "prior",
)


def build_model(
    recipe: Recipe, data_shape: tuple[int, ...], seed: int, **given: Any
) -> GenerativeModel:
    """Returns the recipe's model, not compiled.

    Args:
        recipe: `Recipe`.
        data_shape: Shape of one example.
        seed: Integer, of the model's noise and the order of its batches. The initial weights follow
            from `keras.utils.set_random_seed`.
        **given: What else follows from the data, `recipe.kind.given(data)`: each part receives
            those arguments that it takes.

    Raises:
        ValueError: If a table names an unknown class, or an argument that its class does not have.
    """
    parts, shapes = {}, {"input_shape": data_shape, "output_shape": data_shape, **given}
    for part in _ORDER:
        is_for_later = part == "prior" and recipe.prior_training
        if part not in recipe.parts or is_for_later:
            continue
        # A discriminator of codes, unlike the other parts, does not touch the data.
        of_codes = {"input_shape": (shapes.get("latent_dim"),)}
        parts[part] = built = _build(recipe, part, of_codes if part == "discriminator" else shapes)
        if part == "likelihood":
            shapes["num_parameters"] = built.num_parameters
        elif part == "condition":
            shapes["condition_shape"] = built.shape
        elif part == "encoder":
            shapes["latent_dim"] = built.latent_dim
    return _build(recipe, "model", {**given, **parts, "seed": seed, "shape": data_shape})


def build_priors(recipe: Recipe, model: GenerativeModel, seed: int) -> list:
    """Returns the list of the priors of each level's codes, for the second stage of a recipe.

    Args:
        recipe: `Recipe` with a table `prior`, or `priors`, that of the level next to the data
            first.
        model: The model of the codes.
        seed: Integer.

    Raises:
        ValueError: As for `build_model`.
    """
    tables = recipe.parts["priors"] if "priors" in recipe.parts else [recipe.parts["prior"]]
    given = [
        {"shape": shape, "num_embeddings": quantizer.num_embeddings, "seed": seed}
        for shape, quantizer in zip(model.code_shapes, model.quantizers, strict=True)
    ]
    levels = enumerate(zip(tables, given, strict=True))
    return [_construct(recipe, f"priors[{i}]", *level) for i, level in levels]


def build_optimizer(training: dict, num_updates: int) -> keras.optimizers.Optimizer:
    """Returns Adam with a cosine schedule from `learning_rate` to `final_learning_rate`.

    Args:
        training: Dict, the table `training` or `prior_training` of a recipe.
        num_updates: Integer.
    """
    start = training.get("learning_rate", 1e-3)
    end = training.get("final_learning_rate", start / 100)
    schedule = keras.optimizers.schedules.CosineDecay(start, num_updates, alpha=end / start)
    beta_1, clipnorm = training.get("beta_1", 0.9), training.get("clipnorm")
    return keras.optimizers.Adam(schedule, beta_1=beta_1, clipnorm=clipnorm)


def build_optimizers(model: GenerativeModel, training: dict, num_updates: int) -> Any:
    """Returns what a model's `compile` takes: the optimizer of `build_optimizer`, or where the
    model switches groups of weights on and off, one for each group.

    Args:
        model: The model.
        training, num_updates: As for `build_optimizer`.
    """
    if not model.switches():
        return build_optimizer(training, num_updates)
    groups = model.group_names(model.objective())
    return {group: build_optimizer(training, num_updates) for group in groups}


def build_callbacks(recipe: Recipe, data: Any) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that a recipe names; those that measure held-out examples, `x`, are
    given the validation part.

    Args:
        recipe: `Recipe`.
        data: `Splits`, as `load_data` returns them.

    Raises:
        ValueError: As for `build_model`; a callback lacks its `x` where there is no validation
            part.
    """
    given = {} if data.validation is None else {"x": data.validation.x}
    return [_construct(recipe, f"callbacks[{i}]", t, given) for i, t in enumerate(recipe.callbacks)]


def start_at_data(model: GenerativeModel, x: np.ndarray, seed: int) -> None:
    """Lets the parts of a model that can begin at the training data do so: the output bias at the
    mean picture (Burda et al. 2016), a prior's pseudo-inputs at examples."""
    last: Any = getattr(model, "decoder", getattr(model, "network", None))  # that of the data
    if hasattr(last, "set_output_bias"):
        mean = np.mean(x, axis=0, dtype="float64")
        last.set_output_bias(model.likelihood.output_for_mean(mean))
    for part in model.parts().values():
        if hasattr(part, "initialize_from"):
            part.initialize_from(x, seed=seed)


def _build(recipe, part, given):
    """Builds what a part's table says, or of a list of tables a list: the levels of a hierarchy,
    of which only the first is next to the data."""
    tables = recipe.parts[part]
    if isinstance(tables, dict):
        return _construct(recipe, part, tables, given)
    first, *others = tables
    first_given = {k: v for k, v in given.items() if k not in first}
    levels = [_construct(recipe, f"{part}[0]", first, first_given)]
    return levels + [_construct(recipe, f"{part}[{i}]", t, {}) for i, t in enumerate(others, 1)]


def _construct(recipe, place, table, given):
    """Calls the constructor that a table's `class` names with the rest of the table, and with what
    it takes of `given`."""
    table = dict(table)
    kind = class_named(table.pop("class", None), recipe, place)
    taken = arguments_of(kind)
    given = {k: v for k, v in given.items() if k in taken}
    unknown = sorted(table.keys() - taken | table.keys() & given.keys())
    if unknown:
        known = sorted(taken - given.keys())
        raise ValueError(
            f"The recipe {recipe.name!r}: [{place}] gives {', '.join(unknown)}, which "
            f"{kind.__name__} does not take here. It takes: {', '.join(known)}."
        )
    arguments = {k: _argument(recipe, f"{place}.{k}", v) for k, v in table.items()}
    try:
        return kind(**given, **arguments)
    except TypeError as error:  # a missing argument, or one of a wrong type
        raise ValueError(f"The recipe {recipe.name!r}: [{place}] {error}.") from error


def _argument(recipe, place, value):
    """A list becomes a tuple; a table, such as that of a schedule, what its `class` makes."""
    if isinstance(value, dict):
        return _construct(recipe, place, value, {})
    if isinstance(value, list):
        return tuple(_argument(recipe, f"{place}[{i}]", v) for i, v in enumerate(value))
    return value
