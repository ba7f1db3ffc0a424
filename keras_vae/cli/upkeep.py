"""Commands that keep presets: `keras-vae download | verify | cache | upload`."""

import sys
from pathlib import Path

from keras_vae import presets
from keras_vae import recipes
from keras_vae.cli import catalogue
from keras_vae.cli.exit_codes import NOT_AS_STATED


def download(options):
    """Fetches presets; goes on after one that cannot be had, and names it at the end."""
    if bool(options.preset) == options.all:
        raise ValueError("download takes names of presets, or --all.")
    problems = []
    for name in presets.names() if options.all else options.preset:
        try:
            print(f"{name}  {presets.find(name)}", flush=True)
        except (ValueError, OSError, ImportError) as error:
            problems.append(str(error))
    if problems:
        raise OSError(" ".join(problems))


def verify(options):
    """Compares files with what they must be, tells of every one, and returns an exit code."""
    if options.preset:
        findings = [f for name in options.preset for f in presets.verify(name)]
    else:
        findings = [f for entry in presets.entries().values() for f in presets.of_entry(entry)]
    for path, problem in findings:
        print(f"DAMAGED  {path}: {problem}" if problem else f"right    {path}")
    damaged = sum(bool(problem) for _, problem in findings)
    if damaged:
        advice = "In the cache they are fetched again when they are next used."
        print(
            f"keras-vae: {damaged} of {len(findings)} files are not as they must be. {advice}",
            file=sys.stderr,
        )
        return NOT_AS_STATED
    return 0


def cache(options):
    """Shows the folder of fetched weights, or frees space there."""
    if options.action == "path":
        if options.all:
            raise ValueError("--all belongs to `keras-vae cache clean`.")
        print(presets.home())
        return
    freed = presets.clean(presets.entries(), options.all)
    print(f"Freed {freed / 1e6:.1f} MB in {presets.home()}")


def upload(options):
    """Pushes a preset to the hub, with a card that is made where there is none."""
    folder = Path(options.folder)
    presets.read_preset(folder)  # or a card would be written into any folder
    metrics = catalogue.read_metrics(folder)
    recipe = catalogue.read_recipe(folder)
    if recipe and metrics and not (folder / recipes.CARD).exists():
        recipes.write_card(recipe, metrics, folder, source=options.address)
    print(presets.upload(folder, options.address, private=options.private))
