"""Trains the presets that are marked for a GPU, together in at most 8 minutes.

    python zoo/gpu.py runs/                     # on a machine with a GPU, JAX or PyTorch
    python zoo/gpu.py runs/ --data mnist.npz    # x_train, x_test: where there is no TensorFlow
    python zoo/gpu.py runs/ iwae50_mnist --minutes 1 --examples 200   # to see that it runs

The time is shared equally. A short run measures how long an epoch takes after compiling, and the
full run has as many epochs as fit, because its learning rate must end with the last epoch. Their
number is in its `metrics.json`, and goes into the recipe with the weights. A fifth of the time is
kept for measuring the log-likelihood. The contents of a run folder are moved into `zoo/` by hand,
and `python zoo/train.py --cards` writes the card.
"""

import argparse
import dataclasses
import tempfile
import time
from pathlib import Path

from keras_vae.recipes import headline
from keras_vae.recipes import read_recipe
from keras_vae.recipes import train_recipe

ZOO = Path(__file__).parent
SHARE_OF_TRAINING = 0.8  # the rest is for compiling and for the measures


def marked_for_a_gpu():
    """Returns the names of the presets whose recipes say `device = "gpu"`."""
    recipes = [read_recipe(path) for path in sorted(ZOO.glob("*/recipe.toml"))]
    return [recipe.name for recipe in recipes if recipe.device == "gpu"]


def seconds_an_epoch(recipe, options):
    """Returns the seconds of an epoch, without what is compiled before the first."""
    quick = dataclasses.replace(recipe, evaluation={"num_samples": 2, "num_examples": 100})
    seconds = []
    for epochs in (1, 3):
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            train_recipe(quick, folder, epochs=epochs, **options)
        seconds.append(time.monotonic() - start)
    return max((seconds[1] - seconds[0]) / 2, 1e-3)


def train_within(recipe, folder, seconds, options):
    """Trains a recipe for as many epochs as fit, whatever it says; returns its metrics."""
    start = time.monotonic()
    epoch = seconds_an_epoch(recipe, options)
    left = SHARE_OF_TRAINING * seconds - (time.monotonic() - start)
    epochs = max(1, int(left / epoch))
    print(f"{recipe.name}: {epoch:.2f} s an epoch, {epochs} epochs", flush=True)
    return train_recipe(recipe, folder, epochs=epochs, **options)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="folder of the run folders")
    parser.add_argument("presets", nargs="*", metavar="PRESET", help="by default all marked ones")
    parser.add_argument("--data", help="an .npz file in place of the recipe's data set")
    parser.add_argument("--minutes", type=float, default=8.0, help="for all together")
    parser.add_argument("--examples", type=int, help="measure on so many test examples only")
    arguments = parser.parse_args()
    names = arguments.presets or marked_for_a_gpu()
    for name in names:
        recipe = read_recipe(ZOO / name / "recipe.toml")
        if arguments.data:
            data = recipe.data | {"name": arguments.data}
            recipe = dataclasses.replace(recipe, data=data)
        if arguments.examples:
            evaluation = recipe.evaluation | {"num_examples": arguments.examples}
            recipe = dataclasses.replace(recipe, evaluation=evaluation)
        seconds = 60 * arguments.minutes / len(names)
        metrics = train_within(recipe, arguments.output / name, seconds, {"verbose": 0})
        print(f"{name}: {headline(metrics['test'], recipe)}", flush=True)


if __name__ == "__main__":
    main()
