"""The command `keras-vae train`."""

import itertools
import re
from pathlib import Path
from typing import Any

import click

from keras_vae import presets
from keras_vae.cli import options
from keras_vae.cli import preset_texts
from keras_vae.cli import tables
from keras_vae.cli.command import Argument
from keras_vae.cli.command import Command
from keras_vae.recipes.cards.card_numbers import METRICS
from keras_vae.recipes.proposal import LIKELIHOODS
from keras_vae.recipes.proposal import MODELS

LARGEST = 64  # pixels, the default for the longest side of pictures
_OTHER_TABLES = (".parquet", ".xlsx")
RUNS = Path("runs")


@click.command(
    cls=Command,
    when_interrupted="; the same command goes on from the last epoch",
    examples="""
    keras-vae train vae_mnist_mini                   a preset's recipe, into runs/vae_mnist_mini
    keras-vae train vae_mnist_mini --epochs 2        a quick look
    keras-vae train --data ./photos                  pictures of your own, with good defaults
    keras-vae train --data ./photos --model vqvae --image-size 128
    keras-vae train --data customers.csv             the rows of a table
    keras-vae train my/recipe.toml --output my_run   a recipe of your own
    keras-vae train my/recipe.toml --set model.kl_weight=4 --set training.batch_size=64
    keras-vae train vae_frey_faces --data-dir data   with frey_faces.npz in the folder data
    keras-vae train vae_mnist_mini --backend jax     on another backend
    """,
)
@click.argument(
    "recipe",
    metavar="[RECIPE]",
    required=False,
    cls=Argument,
    shell_complete=options.names_or_paths,
    explanation="The name of a preset, a folder, or a .toml file; or leave it out and give --data.",
)
@click.option(
    "--data",
    metavar="NAME_OR_PATH",
    help="Data of your own in place of a recipe: a folder of images, a .csv or .tsv table, an .npz "
    "file, mnist_mini, or a name of tensorflow-datasets. A recipe is written into the run folder, "
    "to be edited.",
)
@click.option(
    "--model",
    type=click.Choice(MODELS),
    help="With --data: the kind of model (default: vae for drawings, vqvae for other pictures).",
)
@options.image_size
@options.count("--latent-dim", help="With --data: dimensions of z (default: depends on the data).")
@click.option(
    "--likelihood",
    type=click.Choice(tuple(LIKELIHOODS)),
    help="With --data: the likelihood p(x|z) (default: bernoulli for drawings in black and white, "
    "gaussian for other pictures).",
)
@options.count("--batch-size", help="With --data: batch size (default: depends on the data).")
@options.count("--epochs", help="Number of epochs (default: the recipe's).")
@options.seed("Seed of the weights, the noise and the order of batches (default: the recipe's).")
@click.option(
    "--set",
    "changes",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change a value of the recipe, such as model.kl_weight=4. Can be given several times.",
)
@click.option("--smoke", is_flag=True, help="Only check that it runs: one epoch of 64 examples.")
@options.data_dir
@click.option(
    "--output",
    metavar="FOLDER",
    help="Run folder to write to (default: the first of runs/NAME, runs/NAME-2, ... without a "
    "finished run).",
)
def train(
    recipe: str | None,
    data: str | None,
    epochs: int | None,
    seed: int | None,
    changes: tuple[str, ...],
    smoke: bool,
    data_dir: str | None,
    output: str | None,
    **choices: Any,
) -> None:
    """Train a recipe, or a model of your own pictures or table.

    Weights, metrics, curves, pictures and the recipe are saved into a folder. An interrupted run
    resumes from its last epoch when the same command is given again.
    """
    import keras

    from keras_vae import recipes

    if data is None:
        given = _check_recipe(recipe, choices)
        found = recipes.read_recipe(presets.find_recipe(given))
    else:
        if recipe is not None:
            raise ValueError(
                f"Give a RECIPE or --data, not both. To train {recipe} on other data: keras-vae "
                f"train {recipe} --set data.name={data}"
            )
        found = _proposed(data, data_dir, choices)
    if changes:
        found = recipes.parse_recipe(recipes.changed(found.text, changes), f"{found.name}.toml")
    name = f"{found.name}-smoke" if smoke else found.name
    folder = _free_folder(name) if output is None else Path(output)
    if _is_finished(folder):
        raise ValueError(
            f"{folder} holds a finished run. Give another --output, or leave it out for a new "
            f"folder in {RUNS}."
        )
    print(f"Training {found.name} on {keras.config.backend()} into {folder}", flush=True)
    metrics = recipes.train_recipe(
        found,
        folder,
        epochs=epochs,
        seed=seed,
        data_dir=data_dir,
        smoke=smoke,
    )
    print(f"\n{found.name}, trained in {metrics['training']['wall_seconds']:.0f} s:")
    print(preset_texts.summary(metrics["test"]))
    print(f"{folder} holds the weights (config.json, model.safetensors), the numbers")
    print("(metrics.json, epochs.csv), pictures (*.png), and recipe.toml, to train it again:")
    print(f"  keras-vae train {folder / 'recipe.toml'}")
    print("To use the weights:")
    print(preset_texts.indented(recipes.usage(found, str(folder))))


def _check_recipe(recipe: str | None, choices: dict[str, Any]) -> str:
    """Returns the given recipe; refuses options for values that a recipe already contains."""
    given = [f"--{k.replace('_', '-')}" for k, value in choices.items() if value is not None]
    if recipe is None:
        raise click.UsageError(
            "train takes a RECIPE, such as vae_mnist_mini, or --data with pictures or a table.",
            click.get_current_context(silent=True),
        )
    if given:
        raise ValueError(
            f"{', '.join(given)} can only be used with --data. To change a value of a recipe: "
            "--set encoder.latent_dim=32, for instance."
        )
    return recipe


def _proposed(data, data_dir, choices):
    """Returns the recipe for the user's data, with their absolute path."""
    from keras_vae import datasets
    from keras_vae import recipes

    if Path(data).suffix in _OTHER_TABLES:
        raise ValueError(
            f"A table must be a .csv or .tsv file with a header line. Received: {data}. For other "
            "formats use Python: `model.fit(frame)` takes a data frame."
        )
    if tables.is_ending(data):
        return tables.proposed(data, data_dir, choices)
    datasets.check_name(data, data_dir)
    image_size = choices.pop("image_size") or datasets.fitting_size(data, LARGEST, data_dir)
    splits = datasets.load(data, image_size=image_size, data_dir=data_dir)
    path = Path(data).expanduser()
    name = str(path.resolve()) if datasets.is_local(data) and path.exists() else data
    text = recipes.propose(splits, name, image_size=image_size, **choices)
    stem = re.sub(r"\W+", "_", path.resolve().stem if name != data else data).strip("_")
    return recipes.parse_recipe(text, f"{stem}.toml")


def _is_finished(folder):
    """Whether a run folder holds a finished run."""
    return (folder / METRICS).exists()


def _free_folder(name):
    """The first of runs/name, runs/name-2, ... that holds no finished run."""
    names = itertools.chain([name], (f"{name}-{i}" for i in itertools.count(2)))
    return next(RUNS / n for n in names if not _is_finished(RUNS / n))
