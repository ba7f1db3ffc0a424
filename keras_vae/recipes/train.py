"""From a recipe to a run folder: weights, numbers and pictures."""

import dataclasses
import json
from pathlib import Path

import keras

from keras_vae import plotting
from keras_vae.atomic_files import write_atomically
from keras_vae.models import from_preset
from keras_vae.recipes.build import build_callbacks
from keras_vae.recipes.build import build_model
from keras_vae.recipes.build import build_optimizers
from keras_vae.recipes.build import start_at_data
from keras_vae.recipes.build import start_from_preset
from keras_vae.recipes.cards.card_numbers import METRICS
from keras_vae.recipes.checkpoint import Checkpoint
from keras_vae.recipes.data import load_data
from keras_vae.recipes.data import pairs
from keras_vae.recipes.data import training_batches
from keras_vae.recipes.further_measures import all_measures
from keras_vae.recipes.further_measures import measurable
from keras_vae.recipes.history import keep_epochs
from keras_vae.recipes.history import read_history
from keras_vae.recipes.measure import environment
from keras_vae.recipes.precision import built_in
from keras_vae.recipes.precision import in_float32
from keras_vae.recipes.prior_training import train_priors
from keras_vae.recipes.recipe import Recipe
from keras_vae.recipes.training_progress import TrainingProgress

RECIPE = "recipe.toml"
EPOCHS = "epochs.csv"
NUM_CURVE_POINTS = 60
NUM_SMOKE = 64  # examples of each part


def train_recipe(
    recipe: Recipe,
    folder: str | Path,
    *,
    epochs: int | None = None,
    seed: int | None = None,
    data_dir: str | Path | None = None,
    smoke: bool = False,
    verbose: int = 1,
) -> dict:
    """Trains a recipe's model and writes its run folder.

    The folder gets `config.json` and `model.safetensors` (a preset, which `from_preset` loads),
    `recipe.toml`, `metrics.json`, `epochs.csv`, the files shown on the card (`reconstructions.png`
    and `samples.png`, or `samples.json` for texts), and `curves.png`; pictures only if matplotlib
    is installed. An interrupted run continues from its last epoch when it is started again with the
    same folder, and ends with the same weights.

    Args:
        recipe: `Recipe`.
        folder: Path of the run folder.
        epochs: Integer that replaces the recipe's, in both stages if there are two.
        seed: Integer that replaces the recipe's.
        data_dir: Folder with local data sets.
        smoke: Whether to run through everything within seconds as a test: one epoch of a few
            examples, with meaningless numbers.
        verbose: 0 for no output, 1 for a bar on a terminal and lines elsewhere, 2 for lines.

    Returns:
        Dict, the content of `metrics.json`.

    Raises:
        ValueError: If the recipe cannot be built, if its data are missing, or if the folder holds
            an interrupted run of another recipe or with other settings.
    """
    folder = Path(folder)
    if smoke:
        epochs, recipe = 1, _hardly_measured(recipe)
    seed = recipe.training.get("seed", 0) if seed is None else seed
    num_epochs = recipe.training["epochs"] if epochs is None else epochs
    measured = measurable(recipe)
    data = load_data(recipe, data_dir)
    if smoke:
        data = dataclasses.replace(data, train=data.train[:NUM_SMOKE], test=data.test[:NUM_SMOKE])
    batches = training_batches(recipe, data, seed)
    keras.utils.set_random_seed(seed)  # initial weights
    with built_in(recipe.precision):
        model = build_model(recipe, data.train.x.shape[1:], seed, **recipe.kind.given(data))
    start_at_data(model, data.train.x, seed)
    start_from_preset(model, recipe)
    model.compile(build_optimizers(model, recipe.training, num_epochs * len(batches)))
    settings = {"recipe": recipe.text, "epochs": num_epochs, "seed": seed}
    checkpoint = Checkpoint(folder, settings)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / RECIPE).exists():  # visible during training
        write_atomically(folder / RECIPE, recipe.text.encode())
    held_out = pairs(recipe, data.test)
    if recipe.prior_training:
        held_out = held_out[:1]
    with TrainingProgress(verbose) as progress:
        further = [*build_callbacks(recipe, data), progress]
        _fit(model, batches, held_out, folder, num_epochs, checkpoint, further)
        if recipe.prior_training:
            train_priors(model, recipe, data, folder, seed, checkpoint, epochs, progress)
    wall_seconds, cpu_seconds = checkpoint.seconds()
    num_updates = int(keras.ops.convert_to_numpy(model.optimizer.iterations))
    (folder / METRICS).unlink(missing_ok=True)  # of an earlier run, whose weights are replaced now
    in_float32(model).save_to_preset(folder, dtype=recipe.weights_dtype)
    model = from_preset(folder)  # measures the weights as stored on disk
    metrics = {
        "preset": recipe.name,
        "test": all_measures(model, measured, data.test, verbose, data.train),
        "training": {
            "epochs": num_epochs,
            "updates": num_updates,
            "seed": seed,
            "num_parameters": model.count_params(),
            "num_examples": len(data.train),
            "wall_seconds": round(wall_seconds, 1),
            "cpu_seconds": round(cpu_seconds, 1),
        },
        "environment": environment(),
        "data": {"shape": list(data.train.x.shape[1:]), "description": data.description},
    }
    write_atomically(folder / RECIPE, recipe.text.encode())
    draw_curves(folder)
    recipe.kind.show(model, recipe, data.test, folder)
    content = json.dumps(metrics, indent=2) + "\n"
    write_atomically(folder / METRICS, content.encode())  # last: it marks a finished run
    checkpoint.remove()
    return metrics


def _hardly_measured(recipe):
    """The recipe with two draws for each likelihood, and without other slow measures."""
    own = {k: v for k, v in recipe.evaluation.items() if k != "measures"}
    return dataclasses.replace(recipe, evaluation={**own, "num_samples": 2})


def draw_curves(folder: str | Path) -> None:
    """Draws `curves.png` from the `epochs.csv` of a run folder, `curves_prior_1.png` from
    `epochs_prior_1.csv`, and so on, if matplotlib is installed."""
    try:
        for path in sorted(Path(folder).glob("epochs*.csv")):
            name = path.stem.replace("epochs", "curves")
            plotting.curves(read_history(path), path.with_name(f"{name}.png"), held_out="test")
    except ImportError as error:
        print(f"No curves were drawn: {error}")


def _fit(model, batches, held_out, folder, epochs, checkpoint, further):
    """Trains, and writes a line of `epochs.csv` and a checkpoint after every epoch.

    The test curve is only for the plot: nothing is selected by it.
    """
    epochs_done = checkpoint.restore(model, len(batches))
    keep_epochs(folder / EPOCHS, epochs_done)
    log = keras.callbacks.CSVLogger(folder / EPOCHS, append=True)
    model.fit(
        batches,
        epochs=epochs,
        initial_epoch=epochs_done,
        validation_data=held_out,
        validation_batch_size=100,
        validation_freq=max(1, epochs // NUM_CURVE_POINTS),
        callbacks=[*further, log, checkpoint],  # last, to save the changes of the others
        verbose=0,
    )
