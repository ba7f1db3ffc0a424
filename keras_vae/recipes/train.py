"""From a recipe to a run folder: weights, numbers and pictures."""

import json
from pathlib import Path

import keras

from keras_vae import plotting
from keras_vae import presets
from keras_vae.recipes.build import build_model
from keras_vae.recipes.build import build_optimizer
from keras_vae.recipes.build import start_at_data_mean
from keras_vae.recipes.checkpoint import Checkpoint
from keras_vae.recipes.data import load_data
from keras_vae.recipes.data import training_batches
from keras_vae.recipes.history import keep_epochs
from keras_vae.recipes.history import read_history
from keras_vae.recipes.measure import environment
from keras_vae.recipes.measure import measure

METRICS = "metrics.json"
RECIPE = "recipe.toml"
EPOCHS = "epochs.csv"
NUM_CURVE_POINTS = 60
NUM_ORIGINALS = 30


def train_recipe(recipe, folder, *, epochs=None, seed=None, data_dir=None, verbose=1):
    """Trains a recipe's model and writes its run folder.

    The folder receives `config.json` and `model.safetensors` (a preset, which `from_preset`
    reads), `recipe.toml`, `metrics.json`, `epochs.csv`, and `curves.png`, `reconstructions.png`
    and `samples.png` where matplotlib is installed. A run that was interrupted goes on from its
    last epoch when it is started again with the same folder, and ends with the same weights.

    Args:
        recipe: `Recipe`.
        folder: path of the run folder.
        epochs: int in place of the recipe's.
        seed: int in place of the recipe's.
        data_dir: folder with local data sets.
        verbose: as for `fit`.

    Returns:
        dict, what `metrics.json` holds.

    Raises:
        ValueError: the recipe cannot be built, its data are not there, or the folder holds an
            interrupted run of another recipe or with other settings.
    """
    folder = Path(folder)
    seed = recipe.training.get("seed", 0) if seed is None else seed
    epochs = recipe.training["epochs"] if epochs is None else epochs
    data = load_data(recipe, data_dir)
    batches = training_batches(recipe, data, seed)
    keras.utils.set_random_seed(seed)  # initial weights
    model = build_model(recipe, data.train.x.shape[1:], seed)
    start_at_data_mean(model, data.train.x)
    model.compile(build_optimizer(recipe, epochs * len(batches)))
    settings = {"recipe": recipe.text, "epochs": epochs, "seed": seed}
    checkpoint = Checkpoint(folder, settings)
    _fit(model, batches, data.test.x, folder, epochs, checkpoint, verbose)
    wall_seconds, cpu_seconds = checkpoint.seconds()
    metrics = {
        "preset": recipe.name,
        "test": measure(model, data.test.x, recipe.evaluation, verbose),
        "training": {
            "epochs": epochs,
            "updates": int(keras.ops.convert_to_numpy(model.optimizer.iterations)),
            "seed": seed,
            "num_parameters": model.count_params(),
            "num_examples": len(data.train),
            "wall_seconds": round(wall_seconds, 1),
            "cpu_seconds": round(cpu_seconds, 1),
        },
        "environment": environment(),
        "data": {"shape": list(data.train.x.shape[1:]), "description": data.description},
    }
    (folder / METRICS).unlink(missing_ok=True)  # of a run before, whose weights go now
    model.save_to_preset(folder)
    presets.write_atomically(folder / RECIPE, recipe.text.encode())
    draw_curves(folder)
    _draw_pictures(model, data.test.x, recipe.pictures.get("originals", NUM_ORIGINALS), folder)
    content = json.dumps(metrics, indent=2) + "\n"
    presets.write_atomically(folder / METRICS, content.encode())  # last: it marks a finished run
    checkpoint.remove()
    return metrics


def draw_curves(folder):
    """Draws `curves.png` from the `epochs.csv` of a run folder, where matplotlib is installed."""
    try:
        plotting.curves(read_history(Path(folder) / EPOCHS), Path(folder) / "curves.png")
    except ImportError as error:
        print(f"No curves were drawn: {error}")


def _fit(model, batches, x_test, folder, epochs, checkpoint, verbose):
    """Trains with a line of `epochs.csv` and a checkpoint after every epoch.

    The test curve is for the picture only: nothing is chosen by it.
    """
    epochs_done = checkpoint.restore(model, len(batches))
    keep_epochs(folder / EPOCHS, epochs_done)
    log = keras.callbacks.CSVLogger(folder / EPOCHS, append=True)
    model.fit(
        batches,
        epochs=epochs,
        initial_epoch=epochs_done,
        validation_data=x_test,
        validation_batch_size=100,
        validation_freq=max(1, epochs // NUM_CURVE_POINTS),
        callbacks=[log, checkpoint],
        verbose=verbose,
    )


def _draw_pictures(model, x, num_originals, folder):
    shown = x[:num_originals]
    try:
        plotting.reconstructions(shown, model.reconstruct(shown), folder / "reconstructions.png")
        plotting.image_grid(model.sample(64, seed=0), folder / "samples.png")
    except ImportError as error:
        print(f"No pictures were drawn: {error}")
