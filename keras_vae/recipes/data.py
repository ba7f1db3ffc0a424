"""The data of a recipe."""

import dataclasses

from keras_vae import datasets


def load_data(recipe, data_dir=None):
    """Returns the recipe's `Splits`, the test part as its likelihood takes it.

    Under dynamic binarisation the training pictures stay grey, for `training_batches` to draw; the
    test pictures are drawn once, so that their number can be had again.

    Args:
        recipe: `Recipe`.
        data_dir: folder with local data sets.

    Raises:
        ValueError, FileNotFoundError, ImportError: as `keras_vae.datasets.load`.
        OSError: a data set of tensorflow-datasets could not be downloaded or read.
    """
    config = {k: v for k, v in recipe.data.items() if not (k == "binarize" and recipe.is_dynamic)}
    try:
        data = datasets.load(**config, data_dir=data_dir)
    except RuntimeError as error:
        raise OSError(str(error)) from error
    if not recipe.is_dynamic:
        return data
    drawn = datasets.binarize(data.test.x, seed=recipe.evaluation.get("seed", 0))
    return dataclasses.replace(data, test=datasets.Arrays(drawn, data.test.y))


def training_batches(recipe, data, seed):
    """Returns the `Batches` of the training part of `data`."""
    return datasets.Batches(
        data.train.x,
        batch_size=recipe.training.get("batch_size", 100),
        seed=seed,
        binarize=recipe.is_dynamic,
    )
