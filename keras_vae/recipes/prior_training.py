"""The second stage of a model of codes: priors, trained on the codes of the training data."""

from pathlib import Path
from typing import Any

import keras

from keras_vae import datasets
from keras_vae.models import GenerativeModel
from keras_vae.noise import child_seed
from keras_vae.recipes.build import build_optimizer
from keras_vae.recipes.build import build_priors
from keras_vae.recipes.checkpoint import FOLDER
from keras_vae.recipes.checkpoint import Checkpoint
from keras_vae.recipes.data import pairs
from keras_vae.recipes.history import keep_epochs
from keras_vae.recipes.recipe import Recipe


def train_priors(
    model: GenerativeModel,
    recipe: Recipe,
    data: Any,
    folder: Path,
    seed: int,
    run: Checkpoint,
    epochs: int | None = None,
    progress: keras.callbacks.Callback | None = None,
) -> None:
    """Trains a prior for each level of codes, and adds them to the model.

    An interrupted run continues from the last epoch of the current level.

    Args:
        model: A trained model of codes.
        recipe: `Recipe` with a table `prior_training`.
        data: `Splits`, as `load_data` returns them.
        folder: Path of the run folder, to which `epochs_prior_1.csv` and so on are written.
        seed: Integer, the seed of initial weights, noise and the order of batches.
        run: `Checkpoint` of the run, which measures the time.
        epochs: Integer that replaces the recipe's.
        progress: Callback that shows the progress.
    """
    training = recipe.prior_training
    epochs = training["epochs"] if epochs is None else epochs
    settings = {"recipe": recipe.text, "epochs": epochs, "seed": seed}
    keras.utils.set_random_seed(seed)  # initial weights, whatever the first stage has drawn
    priors = build_priors(recipe, model, child_seed(seed, "priors"))
    parts = (_black_and_white(recipe, data.train, seed), data.test)
    train, test = (model.prior_pairs(priors, *pairs(recipe, part)) for part in parts)
    keep_time = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: run.keep_time())
    shown = [] if progress is None else [progress]
    for level, prior in enumerate(priors, start=1):
        codes, held_out = train[level - 1], test[level - 1]
        batch_size = training.get("batch_size", 100)
        batches = datasets.Batches(*codes, batch_size=batch_size, seed=prior.noise.seed)
        prior.compile(build_optimizer(training, epochs * len(batches)))
        checkpoint = Checkpoint(folder / FOLDER / f"prior_{level}", settings)
        epochs_done = checkpoint.restore(prior, len(batches))
        log = folder / f"epochs_prior_{level}.csv"
        keep_epochs(log, epochs_done)
        prior.fit(
            batches,
            epochs=epochs,
            initial_epoch=epochs_done,
            validation_data=held_out if len(held_out) > 1 else held_out[0],
            validation_batch_size=100,
            callbacks=[*shown, keras.callbacks.CSVLogger(log, append=True), checkpoint, keep_time],
            verbose=0,
        )
    model.take_priors(priors)


def _black_and_white(recipe, arrays, seed):
    """Returns the training data as the likelihood takes them: if binarised, drawn once."""
    if not recipe.is_dynamic:
        return arrays
    return datasets.Arrays(datasets.binarize(arrays.x, seed=seed), arrays.y)
