"""From the tables of a recipe to a model and its optimizer."""

from typing import Any

import keras
import numpy as np

from keras_vae.models import GenerativeModel
from keras_vae.models import from_preset
from keras_vae.recipes.named_classes import arguments_of
from keras_vae.recipes.named_classes import class_named
from keras_vae.recipes.named_classes import family_of
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
    "features",
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
        seed: Integer, the seed of the model's noise and of the order of its batches. The initial
            weights depend on `keras.utils.set_random_seed`.
        **given: Further arguments that follow from the data, `recipe.kind.given(data)`: each part
            receives those that it takes.

    Raises:
        ValueError: If a table names an unknown class, or an argument that its class does not have.
    """
    parts, shapes = {}, {"input_shape": data_shape, "output_shape": data_shape, **given}
    for part in _ORDER:
        is_for_later = part == "prior" and recipe.prior_training
        if part not in recipe.parts or is_for_later:
            continue
        if part == "features":
            parts[part] = _features(recipe)
            continue
        # A discriminator of codes, unlike the other parts, does not touch the data.
        is_of_codes = part == "discriminator" and family_of(recipe).discriminates == "codes"
        of_codes = {"input_shape": (shapes.get("latent_dim"),)}
        parts[part] = built = _build(recipe, part, of_codes if is_of_codes else shapes)
        if part == "likelihood":
            shapes["num_parameters"] = built.num_parameters
        elif part == "condition":
            shapes["condition_shape"] = built.shape
        elif part == "encoder":
            shapes["latent_dim"] = built.latent_dim
    return _build(recipe, "model", {**given, **parts, "seed": seed, "shape": data_shape})


def build_priors(recipe: Recipe, model: GenerativeModel, seed: int) -> list:
    """Returns a list of priors, one for each level's codes, for the second stage of a recipe.

    Args:
        recipe: `Recipe` with a table `prior`, or `priors`, beginning with the level next to the
            data.
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
    options = {k: training[k] for k in ("beta_1", "clipnorm", "ema_momentum") if k in training}
    return keras.optimizers.Adam(schedule, use_ema="ema_momentum" in training, **options)


def build_optimizers(model: GenerativeModel, training: dict, num_updates: int) -> Any:
    """Returns the optimizer for a model's `compile`, from `build_optimizer`, or, if the model
    switches groups of weights on and off, one for each group.

    Args:
        model: The model.
        training, num_updates: As for `build_optimizer`.
    """
    if not model.switches():
        return build_optimizer(training, num_updates)
    groups = model.group_names(model.objective())
    return {group: build_optimizer(training, num_updates) for group in groups}


def build_callbacks(recipe: Recipe, data: Any) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that a recipe names. Those that measure held-out examples, `x`, receive
    the validation part.

    Args:
        recipe: `Recipe`.
        data: `Splits`, as `load_data` returns them.

    Raises:
        ValueError: As for `build_model`, or if a callback needs `x` but there is no validation
            part.
    """
    given = {} if data.validation is None else {"x": data.validation.x}
    return [_construct(recipe, f"callbacks[{i}]", t, given) for i, t in enumerate(recipe.callbacks)]


def start_at_data(model: GenerativeModel, x: np.ndarray, seed: int) -> None:
    """Initialises the parts of a model that can start from the training data: the output bias at
    the mean picture (Burda et al. 2016), and a prior's pseudo-inputs at examples."""
    last: Any = getattr(model, "decoder", getattr(model, "network", None))  # that of the data
    if hasattr(last, "set_output_bias"):
        mean = np.mean(x, axis=0, dtype="float64")
        last.set_output_bias(model.likelihood.output_for_mean(mean))
    for part in model.parts().values():
        if hasattr(part, "initialize_from"):
            part.initialize_from(x, seed=seed)


def start_from_preset(model: GenerativeModel, recipe: Recipe) -> None:
    """Copies the weights of the parts that a model shares with the preset `start` of `[training]`,
    and freezes the parts in `frozen`, if the recipe has these keys.

    Args:
        model: The built model.
        recipe: `Recipe`.

    Raises:
        ValueError: If the preset has none of the model's parts, or one of another architecture, or
            if the model lacks a part that is to be frozen.
        OSError: If the weights of the preset are not on this machine and cannot be downloaded.
    """
    own, frozen = model.parts(), recipe.training.get("frozen", [])
    if unknown := sorted(set(frozen) - own.keys()):
        raise ValueError(
            f"The recipe {recipe.name!r}: `frozen` of [training] names {', '.join(unknown)}. This "
            f"{type(model).__name__} has the parts {', '.join(own)}."
        )
    if name := recipe.training.get("start"):
        given = from_preset(name).parts()
        for part in _shared(recipe, name, own, given):
            own[part].set_weights(given[part].get_weights())
    for part in frozen:
        own[part].trainable = False


def _shared(recipe, name, own, given):
    """Returns the names of the parts in `own` that the preset has, with the same shapes."""
    shared = [k for k in own if k in given and own[k].weights]
    others = [k for k in shared if _shapes(own[k]) != _shapes(given[k])]
    if shared and not others:
        return shared
    problem = f"differs in {', '.join(others)}" if others else "shares no part with it"
    raise ValueError(
        f"The recipe {recipe.name!r}: `start` of [training] is the preset {name!r}, which "
        f"{problem}. Parts that they share must have the same architecture."
    )


def _shapes(part):
    return [tuple(v.shape) for v in part.weights]


def _features(recipe):
    """Returns a model of the maps of some layers of a preset's network, as in `[features]`."""
    table = recipe.parts["features"]
    if table.keys() != {"preset", "layers"} or not table["layers"]:
        raise ValueError(
            f"The recipe {recipe.name!r}: [features] must have the keys preset, that of a network, "
            f"and layers, the names of some of its layers. Received: {table!r}."
        )
    network = getattr(from_preset(table["preset"]), "network", None)
    known = [layer.name for layer in getattr(network, "layers", [])]
    if unknown := [k for k in table["layers"] if k not in known]:
        raise ValueError(
            f"The recipe {recipe.name!r}: [features] names the layers {', '.join(unknown)}, which "
            f"the preset {table['preset']!r} does not have. It has: {', '.join(known) or 'none'}."
        )
    maps = [network.get_layer(k).output for k in table["layers"]]
    features = keras.Model(network.inputs[0], maps, name="features")
    # Cloned, because the paths of the layers' weights begin with the preset's network.
    anew = keras.models.clone_model(features)
    anew.set_weights(features.get_weights())
    return anew


def _build(recipe, part, given):
    """Builds a part from its table, or a list from a list of tables: the levels of a hierarchy, of
    which only the first is next to the data."""
    tables = recipe.parts[part]
    if isinstance(tables, dict):
        return _construct(recipe, part, tables, given)
    first, *others = tables
    first_given = {k: v for k, v in given.items() if k not in first}
    levels = [_construct(recipe, f"{part}[0]", first, first_given)]
    return levels + [_construct(recipe, f"{part}[{i}]", t, {}) for i, t in enumerate(others, 1)]


def _construct(recipe, place, table, given):
    """Calls the constructor named by a table's `class` with the rest of the table, and with the
    arguments in `given` that it takes."""
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
    """Converts a list to a tuple, and a table (a schedule's, say) to an object of its `class`."""
    if isinstance(value, dict):
        return _construct(recipe, place, value, {})
    if isinstance(value, list):
        return tuple(_argument(recipe, f"{place}[{i}]", v) for i, v in enumerate(value))
    return value
