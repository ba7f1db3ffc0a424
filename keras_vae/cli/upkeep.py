"""Commands that manage presets: `keras-vae download | verify | cache | upload`."""

import sys
from pathlib import Path

import click

from keras_vae import presets
from keras_vae.cli import options
from keras_vae.cli import preset_texts
from keras_vae.cli.command import Argument
from keras_vae.cli.command import Command
from keras_vae.cli.exit_codes import NOT_AS_STATED
from keras_vae.recipes.cards.card import write_card
from keras_vae.recipes.cards.card_numbers import CARD


@click.command(
    cls=Command,
    is_light=True,
    examples="""
    keras-vae download vae_mnist iwae_mnist
    keras-vae download --all
    keras-vae download hf://owner/name        a preset of somebody else
    """,
)
@options.presets()
@click.option("--all", "everything", is_flag=True, help="Download every preset that has weights.")
def download(preset: tuple[str, ...], everything: bool) -> None:
    """Download and verify the weights of presets.

    They come from $KERAS_VAE_ZOO and are kept in the cache. Presets installed by "keras-vae[zoo]"
    need no download. A preset that cannot be downloaded does not stop the others.
    """
    if bool(preset) == everything:
        raise ValueError("download takes names of presets, or --all.")
    problems = []
    for name in presets.names() if everything else preset:
        try:
            print(f"{name}  {presets.find(name)}", flush=True)
        except (ValueError, OSError, ImportError) as error:
            problems.append(str(error))
    if problems:
        raise OSError(" ".join(problems))


@click.command(
    cls=Command,
    is_light=True,
    examples="""
    keras-vae verify                  all that is here
    keras-vae verify vae_mnist_mini
    keras-vae verify runs/my_run      by the digests in its own config.json
    """,
)
@options.presets()
def verify(preset: tuple[str, ...]) -> int:
    """Verify the files of presets by their sha256.

    Exit code 3 if a file is damaged.
    """
    if preset:
        findings = [f for name in preset for f in presets.verify(name)]
    else:
        findings = [f for entry in presets.entries().values() for f in presets.of_entry(entry)]
    for path, problem in findings:
        print(f"DAMAGED  {path}: {problem}" if problem else f"ok       {path}")
    damaged = sum(bool(problem) for _, problem in findings)
    if damaged:
        advice = "Damaged files in the cache are downloaded again when they are next used."
        print(
            f"keras-vae: {damaged} of {len(findings)} files are damaged. {advice}", file=sys.stderr
        )
        return NOT_AS_STATED
    return 0


@click.command(
    cls=Command,
    is_light=True,
    examples="""
    keras-vae cache path
    keras-vae cache clean         what this version does not use: old, damaged or partial files
    keras-vae cache clean --all   everything
    """,
)
@click.argument(
    "action",
    type=click.Choice(("path", "clean")),
    cls=Argument,
    explanation="`path` prints the folder, `clean` removes files.",
)
@click.option("--all", "everything", is_flag=True, help="With clean: remove all cached weights.")
def cache(action: str, everything: bool) -> None:
    """Show where weights are kept, or free disk space."""
    if action == "path":
        if everything:
            raise ValueError("--all belongs to `keras-vae cache clean`.")
        print(presets.home())
        return
    freed = presets.clean(presets.entries(), everything)
    print(f"Freed {freed / 1e6:.1f} MB in {presets.home()}")


@click.command(
    cls=Command,
    is_light=True,
    examples="""
    keras-vae upload runs/vae_mnist_mini hf://me/my-vae
    keras-vae upload runs/vae_mnist_mini hf://me/my-vae --private
    """,
)
@click.argument(
    "folder",
    metavar="FOLDER",
    cls=Argument,
    explanation="Folder of the preset, as `keras-vae train` writes it.",
)
@click.argument("address", metavar="ADDRESS", cls=Argument, explanation="hf://owner/name")
@click.option("--private", is_flag=True, help="Create the repository as a private one.")
def upload(folder: str, address: str, private: bool) -> None:
    """Upload a preset with its card to the Hugging Face Hub.

    You must be logged in there. A card is written if there is none.
    """
    path = Path(folder)
    presets.read_preset(path)  # otherwise a card would be written into any folder
    metrics = preset_texts.read_metrics(path)
    recipe = preset_texts.read_recipe(path)
    if recipe and metrics and not (path / CARD).exists():
        write_card(recipe, metrics, path, source=address)
    print(presets.upload(path, address, private=private))
