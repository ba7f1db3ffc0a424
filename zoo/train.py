"""Trains presets of the zoo from their recipes: `python zoo/train.py vae_mnist`.

Writes weights, `metrics.json`, pictures and the card into the preset's folder. Nothing in these
files is written by hand but `recipe.toml`.
"""

import argparse
from pathlib import Path

from keras_vae.recipes import read_recipe
from keras_vae.recipes import train_recipe

ZOO = Path(__file__).parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="+", metavar="PRESET", help="folder names in zoo/")
    parser.add_argument("--data-dir", help="folder with local data sets such as frey_faces.npz")
    arguments = parser.parse_args()
    for name in arguments.presets:
        recipe = read_recipe(ZOO / name / "recipe.toml")
        metrics = train_recipe(recipe, ZOO / name, data_dir=arguments.data_dir, verbose=2)
        print(f"{name}: {metrics['test']['nll']:.2f} nats")


if __name__ == "__main__":
    main()
