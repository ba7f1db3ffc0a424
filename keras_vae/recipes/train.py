"""From a recipe to a run folder: weights, numbers and pictures."""

import csv
import json
import math
import shutil
import time
from pathlib import Path

import keras
import numpy as np

from keras_vae import datasets
from keras_vae import plotting
from keras_vae import presets
from keras_vae.recipes.measure import environment
from keras_vae.recipes.measure import measure
from keras_vae.recipes.recipe import build_model
from keras_vae.recipes.recipe import build_optimizer

METRICS = "metrics.json"
CHECKPOINT = "checkpoint"
EPOCHS = "epochs.csv"
NUM_CURVE_POINTS = 60


def train_recipe(recipe, folder, *, epochs=None, seed=None, data_dir=None, verbose=1):
    """Trains a recipe's model and writes its run folder.

    The folder receives `config.json` and `model.safetensors` (a preset, which `from_preset`
    reads), `metrics.json`, `epochs.csv`, and `curves.png`, `reconstructions.png` and
    `samples.png` where matplotlib is installed. A run that was interrupted goes on from its last
    epoch when it is started again with the same folder.

    Args:
        recipe: `Recipe`.
        folder: path of the run folder.
        epochs: int in place of the recipe's.
        seed: int in place of the recipe's.
        data_dir: folder with local data sets.
        verbose: as for `fit`.

    Returns:
        dict, what `metrics.json` holds.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    seed = recipe.training.get("seed", 0) if seed is None else seed
    epochs = epochs or recipe.training["epochs"]
    data, batches = load_data(recipe, seed, data_dir)
    keras.utils.set_random_seed(seed)  # initial weights
    model = build_model(recipe, data.train.x.shape[1:], seed)
    start_at_data_mean(model, data.train.x)
    model.compile(build_optimizer(recipe, epochs * len(batches)))

    started, cpu_started = time.perf_counter(), time.process_time()
    _fit(model, batches, data.test.x, folder, epochs, verbose)
    training = {
        "epochs": epochs,
        "updates": int(keras.ops.convert_to_numpy(model.optimizer.iterations)),
        "seed": seed,
        "num_parameters": model.count_params(),
        "num_examples": len(data.train.x),
        "wall_seconds": round(time.perf_counter() - started, 1),
        "cpu_seconds": round(time.process_time() - cpu_started, 1),
    }
    metrics = {
        "preset": recipe.name,
        "test": measure(model, data.test.x, recipe.evaluation, verbose),
        "training": training,
        "environment": environment(),
    }
    model.save_to_preset(folder)
    _draw(model, data.test.x, folder)
    content = json.dumps(metrics, indent=2) + "\n"
    presets.write_atomically(folder / METRICS, content.encode())  # last: it marks a finished run
    shutil.rmtree(folder / CHECKPOINT, ignore_errors=True)
    return metrics


def load_data(recipe, seed, data_dir=None):
    """Returns the recipe's `Splits`, the test part ready for its likelihood, and the training
    `Batches`."""
    config = dict(recipe.data)
    if recipe.is_dynamic:
        del config["binarize"]
    data = datasets.load(**config, data_dir=data_dir)
    if recipe.is_dynamic:  # the test set is drawn once, so that its number can be had again
        test = datasets.binarize(data.test.x, seed=recipe.evaluation.get("seed", 0))
        data = datasets.Splits(
            data.name, data.train, datasets.Arrays(test, data.test.y), data.validation
        )
    batches = datasets.Batches(
        data.train.x,
        batch_size=recipe.training.get("batch_size", 100),
        seed=seed,
        binarize=recipe.is_dynamic,
    )
    return data, batches


def start_at_data_mean(model, x):
    """Sets the decoder's output bias so that training starts at the mean picture (Burda et al.
    2016), where the decoder has one."""
    if hasattr(model.decoder, "set_output_bias"):
        mean = np.mean(x, axis=0, dtype="float64")
        model.decoder.set_output_bias(model.likelihood.output_for_mean(mean))


def _fit(model, batches, x_test, folder, epochs, verbose):
    """Trains with a checkpoint and a line of `epochs.csv` after every epoch.

    The test curve is for the picture only: nothing is chosen by it.
    """
    backup = keras.callbacks.BackupAndRestore(folder / CHECKPOINT, delete_checkpoint=False)
    log = keras.callbacks.CSVLogger(folder / EPOCHS, append=(folder / CHECKPOINT).exists())
    model.fit(
        batches,
        epochs=epochs,
        validation_data=x_test,
        validation_batch_size=100,
        validation_freq=max(1, epochs // NUM_CURVE_POINTS),
        callbacks=[backup, log],
        verbose=verbose,
    )


def _draw(model, x, folder):
    try:
        plotting.curves(read_history(folder / EPOCHS), folder / "curves.png")
    except ImportError as error:
        print(f"No pictures were drawn: {error}")
        return
    shown = x[:32]
    plotting.reconstructions(shown, model.reconstruct(shown), folder / "reconstructions.png")
    plotting.image_grid(model.sample(64, seed=0), folder / "samples.png")


def read_history(path):
    """Returns `{name: [value of each epoch]}` from `epochs.csv`; NaN where none was measured."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    names = [k for k in rows[0] if k != "epoch"]
    return {k: [math.nan if row[k] == "NA" else float(row[k]) for row in rows] for k in names}
