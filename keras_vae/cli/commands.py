"""What the commands of `keras-vae` do; their options are in `keras_vae.cli.options`.

Each takes the parsed options and prints. Wrong input ends in one of the library's own errors, whose
message is what the user reads.
"""

import dataclasses
import itertools
import json
import sys
from pathlib import Path

import keras
import numpy as np

from keras_vae import datasets
from keras_vae import plotting
from keras_vae import presets
from keras_vae import recipes
from keras_vae.cli import catalogue
from keras_vae.cli.reproduction import reproduce
from keras_vae.conditions import LabelCondition
from keras_vae.models import GenerativeModel

RUNS = Path("runs")
_ARRAYS = (".npz", ".npy")


def train(options):
    """Trains a recipe into a run folder and tells what came out."""
    recipe = recipes.read_recipe(presets.find_recipe(options.preset))
    folder = _free_folder(recipe.name) if options.output is None else Path(options.output)
    if _is_finished(folder):
        raise ValueError(
            f"{folder} holds a finished run. Give another --output, or leave it out for a new "
            f"folder in {RUNS}."
        )
    print(f"Training {recipe.name} on {keras.config.backend()} into {folder}", flush=True)
    metrics = recipes.train_recipe(
        recipe,
        folder,
        epochs=options.epochs,
        seed=options.seed,
        data_dir=options.data_dir,
        verbose=_verbosity(),
    )
    print(f"\n{recipe.name}, trained in {metrics['training']['wall_seconds']:.0f} s:")
    print(catalogue.summary(metrics["test"]))
    print(f"{folder} holds the weights (config.json, model.safetensors), the numbers")
    print("(metrics.json, epochs.csv) and pictures (*.png). To use them:")
    print(catalogue.indented(recipes.usage(recipe, str(folder))))


def evaluate(options):
    """Measures a preset on test data and prints its numbers; returns an exit code with `--full`."""
    if options.full:
        return reproduce(options)
    if options.record:
        raise ValueError("--record needs --full: only whole measurements are kept.")
    folder = presets.find(options.preset)
    model = GenerativeModel.from_preset(options.preset)
    recipe = _recipe_of(folder, options)
    pairs = _test_pairs(recipe, options, options.num_examples)
    asked = {"num_samples": options.num_samples, "seed": options.seed}
    config = recipe.evaluation if recipe else {}
    config = config | {k: v for k, v in asked.items() if v is not None}
    test = recipes.measure(model, pairs, config, verbose=_verbosity())
    print(catalogue.summary(test))
    if options.output:
        report = {
            "preset": str(options.preset),
            "data": options.data or recipe.data["name"],
            "test": test,
            "environment": recipes.environment(),
        }
        _write_json(Path(options.output), report)
    return 0


def sample(options):
    """Draws new examples from a preset into a picture or an array file."""
    _check_ending(options.output)
    model = GenerativeModel.from_preset(options.preset)
    condition = _labels(model, options)
    _save(options.output, {"images": model.sample(options.num, condition, seed=options.seed)})


def reconstruct(options):
    """Draws test examples and what a preset makes of them."""
    _check_ending(options.output)
    folder = presets.find(options.preset)
    model = GenerativeModel.from_preset(options.preset)
    recipe = _recipe_of(folder, options)
    if not hasattr(model, "reconstruct"):
        raise ValueError(f"{options.preset} is a {type(model).__name__}: it reconstructs nothing.")
    pairs = _test_pairs(recipe, options, options.num)
    again = model.reconstruct(*pairs)
    _save(options.output, {"originals": pairs[0], "reconstructions": again})


def _labels(model, options):
    """What `sample` is to draw: one class, or each in turn; nothing for an unconditional model."""
    if options.label is not None:
        return options.label
    condition = getattr(model, "sample_condition", None)
    if not isinstance(condition, LabelCondition):
        return None
    return np.arange(options.num) % condition.num_classes


def _is_finished(folder):
    """Whether a run folder holds a run that came to its end."""
    return (folder / recipes.METRICS).exists()


def _free_folder(name):
    """The first of runs/name, runs/name-2, ... that holds no finished run."""
    names = itertools.chain([name], (f"{name}-{i}" for i in itertools.count(2)))
    return next(RUNS / n for n in names if not _is_finished(RUNS / n))


def _verbosity():
    return 1 if sys.stdout.isatty() else 2  # a bar, or a line an epoch


def _recipe_of(folder, options):
    """The recipe that says which data to take, with the options in place of its own."""
    recipe = catalogue.read_recipe(folder)
    if recipe is None:
        if options.data is None:
            raise ValueError(
                f"{folder} has no recipe.toml that names its data: give --data, a name or a path."
            )
        return None
    changes = {}
    if options.data is not None:
        changes["data"] = recipe.data | {"name": options.data}
    if options.seed is not None:
        changes["evaluation"] = recipe.evaluation | {"seed": options.seed}
    return dataclasses.replace(recipe, **changes)


def _test_pairs(recipe, options, num_examples):
    """Test examples, with their conditions or targets where the recipe has them."""
    if recipe is None:
        return (datasets.load(options.data, data_dir=options.data_dir).test.x[:num_examples],)
    return recipes.pairs(recipe, recipes.load_data(recipe, options.data_dir).test[:num_examples])


def _check_ending(path):
    if Path(path).suffix not in (".png", *_ARRAYS):
        raise ValueError(f"--output must end in .png, .npz or .npy. Received: {path}")


def _save(path, arrays):
    """Writes named arrays of pictures as one picture, or as they are, by the path's ending."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        np.savez_compressed(path, **arrays)
    elif path.suffix == ".npy":
        np.save(path, list(arrays.values())[-1])
    elif len(arrays) == 1:
        plotting.image_grid(*arrays.values(), path)
    else:
        plotting.reconstructions(*arrays.values(), path)
    print(f"Wrote {path}")


def _write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    presets.write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())
    print(f"Wrote {path}")
