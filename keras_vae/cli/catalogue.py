"""Information about presets without running them: `keras-vae list` and `info`."""

from pathlib import Path

import click

from keras_vae import presets
from keras_vae.cli import compress
from keras_vae.cli import options
from keras_vae.cli.command import Command
from keras_vae.cli.preset_texts import indented
from keras_vae.cli.preset_texts import plain
from keras_vae.cli.preset_texts import read_metrics
from keras_vae.cli.preset_texts import read_recipe
from keras_vae.cli.preset_texts import summary
from keras_vae.recipes.cards.card import duration
from keras_vae.recipes.cards.card import hardware
from keras_vae.recipes.cards.numbers import headline
from keras_vae.recipes.cards.usage import loading

_OF_EVERY_LAYER = ("name", "trainable", "dtype")


@click.command(
    "list",
    cls=Command,
    is_light=True,
    examples="""
    keras-vae list
    keras-vae list --family vqvae                      of one class of models
    keras-vae list --family vae --dataset mnist_mini   of one dataset, too
    """,
)
@click.option("--family", metavar="CLASS", help="Only models of this class, such as VQVAE.")
@click.option(
    "--dataset", metavar="NAME", help="Only models trained on this dataset, such as mnist."
)
def list_presets(family: str | None, dataset: str | None) -> None:
    """List the presets, their numbers and where their weights are.

    The columns are the class of the model, its data, the test NLL, the number of parameters, and
    whether the weights are on this machine.
    """
    header = ("preset", "family", "data", "test NLL, nats", "parameters", "weights")
    found = list(map(_row, sorted({*presets.names(), *presets.recipe_names()})))
    found = _only(found, header.index("family"), "--family", family)
    rows = [header, *_only(found, header.index("data"), "--dataset", dataset)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())
    print("\nSee keras-vae info PRESET for details. Train a recipe with keras-vae train PRESET.")


@click.command(
    cls=Command,
    is_light=True,
    examples="""
    keras-vae info vae_mnist_mini
    keras-vae info runs/my_run
    keras-vae info digits.kvz        a file of `keras-vae compress`
    """,
)
@options.preset()
def info(preset: str) -> None:
    """Show what a preset is, or what a compressed file holds."""
    if Path(preset).suffix == compress.ENDING and not Path(preset).is_dir():
        compress.show(preset)
        return
    folder = _folder_of(preset)
    recipe, metrics = read_recipe(folder), read_metrics(folder)
    print(recipe.name if recipe else folder)
    if recipe:
        print(indented("\n".join(text for text in (recipe.summary, recipe.limits) if text)))
    print(f"\nModel\n{indented(_parts(folder, recipe))}")
    if metrics:
        print(f"\nNumbers\n{indented(summary(metrics['test']))}")
        print(f"\nTraining\n{indented(_training(metrics))}")
    if recipe:
        known = preset in presets.recipe_names()
        print(f"\nUsage\n{indented(loading(recipe, None if known else str(folder)))}")


def _folder_of(preset) -> Path:
    try:
        return presets.describe(preset)
    except ValueError:
        return presets.find_recipe(preset).parent


def _only(rows, column, option, wanted):
    """The rows with this word in a column, ignoring case and the ending `.npz`."""
    if wanted is None:
        return rows
    found = [row for row in rows if _plainer(row[column]) == _plainer(wanted)]
    if not found:
        known = ", ".join(sorted({row[column] for row in rows}))
        raise ValueError(f"{option} {wanted}: there is no such preset. Known values: {known}.")
    return found


def _plainer(word):
    return word.lower().removesuffix(".npz")


def _row(name):
    folder = _folder_of(name)
    recipe, metrics = read_recipe(folder), read_metrics(folder)
    numbers = ("-", "-")
    if metrics:
        test, count = metrics["test"], metrics["training"]["num_parameters"]
        numbers = (plain(headline(test, recipe)), f"{count:,}")
    made_of = (recipe.family, recipe.data["name"]) if recipe else ("-", "-")
    return (name, *made_of, *numbers, _where(name))


def _where(name):
    if presets.is_here(name):
        return "here"
    return "to be downloaded" if name in presets.names() else "recipe only"


def _parts(folder, recipe):
    """Lines with the classes of a model's parts and their arguments."""
    if recipe:
        lines = [
            _call(part, table["class"], {k: v for k, v in table.items() if k != "class"})
            for part, tables in recipe.parts.items()
            for table in (tables if isinstance(tables, list) else [tables])
        ]
    else:
        model = presets.read_preset(folder).model_config
        parts = {k: v for k, v in model["config"].items() if isinstance(v, dict) and k != "dtype"}
        lines = [_call("model", model["class_name"], {})]
        lines += [_call(part, v["class_name"], v["config"]) for part, v in parts.items()]
    return "\n".join(lines)


def _call(part, name, arguments):
    own = {k: v for k, v in arguments.items() if k not in _OF_EVERY_LAYER}
    return f"{part:<11} {name}({', '.join(f'{k}={v}' for k, v in own.items())})"


def _training(metrics):
    training, machine = metrics["training"], metrics["environment"]
    return (
        f"{training['epochs']:,} epochs over {training['num_examples']:,} examples "
        f"({training['updates']:,} updates), seed {training['seed']},\n"
        f"in {duration(training['wall_seconds'])} on {hardware(machine)}\n"
        f"with keras_vae {machine['keras_vae']}, Keras {machine['keras']} and {machine['backend']}"
        f", {machine['date']}"
    )
