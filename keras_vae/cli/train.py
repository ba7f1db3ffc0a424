"""The command `keras-vae train`."""

import itertools
import sys
from pathlib import Path

import click

from keras_vae import presets
from keras_vae.cli import options
from keras_vae.cli import preset_texts
from keras_vae.cli.command import Argument
from keras_vae.cli.command import Command
from keras_vae.recipes.cards.card_numbers import METRICS

RUNS = Path("runs")


@click.command(
    cls=Command,
    when_interrupted="; the same command goes on from the last epoch",
    examples="""
    keras-vae train vae_mnist_mini                   a preset's recipe, into runs/vae_mnist_mini
    keras-vae train vae_mnist_mini --epochs 2        a quick look
    keras-vae train my/recipe.toml --output my_run   a recipe of your own
    keras-vae train vae_frey_faces --data-dir data   with frey_faces.npz in the folder data
    keras-vae train vae_mnist_mini --backend jax     on another backend
    """,
)
@click.argument(
    "recipe",
    metavar="RECIPE",
    cls=Argument,
    explanation="The name of a preset, a folder, or a .toml file.",
)
@options.count("--epochs", help="Number of epochs (default: the recipe's).")
@options.seed("Seed of the weights, the noise and the order of batches (default: the recipe's).")
@options.data_dir
@click.option(
    "--output",
    metavar="FOLDER",
    help="Run folder to write to (default: the first of runs/NAME, runs/NAME-2, ... without a "
    "finished run).",
)
def train(
    recipe: str, epochs: int | None, seed: int | None, data_dir: str | None, output: str | None
) -> None:
    """Train a recipe and save weights, metrics, curves and images.

    An interrupted run resumes from its last epoch when the same command is given again.
    """
    import keras

    from keras_vae import recipes

    found = recipes.read_recipe(presets.find_recipe(recipe))
    folder = _free_folder(found.name) if output is None else Path(output)
    if _is_finished(folder):
        raise ValueError(
            f"{folder} holds a finished run. Give another --output, or leave it out for a new "
            f"folder in {RUNS}."
        )
    print(f"Training {found.name} on {keras.config.backend()} into {folder}", flush=True)
    metrics = recipes.train_recipe(
        found, folder, epochs=epochs, seed=seed, data_dir=data_dir, verbose=verbosity()
    )
    print(f"\n{found.name}, trained in {metrics['training']['wall_seconds']:.0f} s:")
    print(preset_texts.summary(metrics["test"]))
    print(f"{folder} holds the weights (config.json, model.safetensors), the numbers")
    print("(metrics.json, epochs.csv) and pictures (*.png). To use them:")
    print(preset_texts.indented(recipes.usage(found, str(folder))))


def verbosity() -> int:
    """Returns Keras' `verbose`: 1, a progress bar, on a terminal; else 2, a line an epoch."""
    return 1 if sys.stdout.isatty() else 2


def _is_finished(folder):
    """Whether a run folder holds a run that came to its end."""
    return (folder / METRICS).exists()


def _free_folder(name):
    """The first of runs/name, runs/name-2, ... that holds no finished run."""
    names = itertools.chain([name], (f"{name}-{i}" for i in itertools.count(2)))
    return next(RUNS / n for n in names if not _is_finished(RUNS / n))
