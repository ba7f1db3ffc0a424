"""Training with other seeds, to measure how much the numbers of a card depend on chance."""

import json
from pathlib import Path

import keras

from keras_vae.recipes.cards.card_numbers import METRICS
from keras_vae.recipes.recipe import Recipe
from keras_vae.recipes.recipe import read_recipe
from keras_vae.recipes.train import RECIPE
from keras_vae.recipes.train import train_recipe


def train_seeds(
    recipe: Recipe,
    metrics: dict,
    runs: str | Path,
    num_seeds: int,
    *,
    data_dir: str | Path | None = None,
    verbose: int = 1,
) -> dict:
    """Trains a recipe with the seeds after its own, and returns the numbers of each run.

    The runs are in the folders `runs/NAME-seed-SEED`. A finished run is not repeated, and an
    interrupted one is continued.

    Args:
        recipe: `Recipe`.
        metrics: Dict, the contents of its `metrics.json`: those of the first seed.
        runs: Path of the folder for the run folders.
        num_seeds: Integer of at least 2, the number of seeds, including the recipe's own.
        data_dir: Path of a folder with local data sets.
        verbose: As for `train_recipe`.

    Returns:
        Dict of the metrics with, under "seeds", the `test` part of each further seed.

    Raises:
        ValueError: If `num_seeds` is below 2, if the metrics are from another backend, or if a
            folder holds a run of another recipe or with other settings.
    """
    if num_seeds < 2:
        raise ValueError(
            "The spread over seeds needs at least 2, including the recipe's own. Received: "
            f"{num_seeds}."
        )
    backend = metrics["environment"]["backend"]
    if backend != keras.config.backend():
        raise ValueError(
            f"The numbers of {recipe.name!r} come from {backend}: other seeds can be compared with "
            f"them on that backend only. Received: {keras.config.backend()}. Set "
            f"KERAS_BACKEND={backend}."
        )
    own = metrics["training"]["seed"]
    seeds = {}
    for seed in range(own + 1, own + num_seeds):
        folder = Path(runs) / f"{recipe.name}-seed-{seed}"
        run = _finished(folder, recipe, metrics["training"]["epochs"], seed) or train_recipe(
            recipe, folder, seed=seed, data_dir=data_dir, verbose=verbose
        )
        seeds[str(seed)] = run["test"]
    return {**metrics, "seeds": seeds}


def _finished(folder, recipe, epochs, seed):
    """The metrics of a finished run, or `None`."""
    if not (folder / METRICS).exists():
        return None
    run = json.loads((folder / METRICS).read_text())
    made = read_recipe(folder / RECIPE).text, run["training"]["epochs"], run["training"]["seed"]
    if made != (recipe.text, epochs, seed):
        raise ValueError(
            f"{folder} holds a finished run of another recipe, or one with a different number of "
            "epochs or a different seed. Remove it to train it again."
        )
    return run
