"""Common parts of the estimators: conversion of rows, and creation and training of models."""

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from keras_vae import frames
from keras_vae.arrays import is_frame
from keras_vae.likelihoods import ColumnsLikelihood
from keras_vae.models import VAE
from keras_vae.networks import TableDecoder
from keras_vae.networks import TableEncoder
from keras_vae.table_schema import Column
from keras_vae.table_schema import TableSchema

FAR = 10.0  # standard deviations up to which a number is left unchanged


class RowEstimator(BaseEstimator):
    """Base class of the estimators: turns arrays and data frames into rows, and trains a VAE.

    The columns of an array are real and are standardised. So are those of a data frame, of any
    library, whose columns all have numeric types (not booleans), unless `schema` is given. The
    columns of any other data frame are described by `schema`, or by `TableSchema.infer`. NaN means
    "not observed".
    """

    def _more_seed(self):
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _rows(self, X, reset=False):
        """Returns rows (N, C) as the model takes them, and log f'(z) (N, C); see
        `moved_together`."""
        if self._is_table(X, reset):
            return self._table_rows(X, reset)
        X = validate_data(
            self,
            X,
            reset=reset,
            dtype="float64",
            ensure_all_finite="allow-nan",
            ensure_min_samples=2 if reset else 1,
        )
        if reset:
            self.table_schema_ = None
            # Nothing can be learned from a column with no value, or only one.
            with np.errstate(all="ignore"):
                count = np.maximum((~np.isnan(X)).sum(axis=0), 1)
                self.location_ = np.nansum(X, axis=0) / count
                spread = np.sqrt(np.nansum(np.square(X - self.location_), axis=0) / count)
            tiny = 1e-9 * np.maximum(np.abs(self.location_), 1.0)
            self.scale_ = np.where(spread > tiny, spread, 1.0)
            self.schema_ = TableSchema([Column(str(i), "real") for i in range(X.shape[1])])
        return moved_together((X - self.location_) / self.scale_)

    def _is_table(self, X, reset):
        """Whether X is a table with a schema; see the class."""
        schema = getattr(self, "schema", None) if reset else self.table_schema_
        if is_frame(X):
            return schema is not None or (reset and not frames.is_numeric(X))
        if schema is None:
            return False
        raise ValueError(
            f"This {type(self).__name__} {'has a `schema`' if reset else 'was fitted on a table'}. "
            f"Expected: a data frame with the columns {schema.names}. Received: "
            f"{type(X).__name__}, which has no column names. Give it as a data "
            f"frame{', or leave `schema` out' if reset else ', or fit on arrays'}."
        )

    def _table_rows(self, X, reset):
        if reset:
            for of_arrays in ("location_", "scale_"):
                vars(self).pop(of_arrays, None)
            schema = getattr(self, "schema", None)
            self.table_schema_ = TableSchema.infer(X) if schema is None else schema
            self.schema_ = self.table_schema_
            self.feature_names_in_ = np.array(self.schema_.names, "object")
            self.n_features_in_ = len(self.schema_)
        return self._together(self.schema_.encode(X))

    def _together(self, x):
        """Returns encoded rows as the model takes them, and log f'(z) (N, C)."""
        x, log_density = x.copy(), np.zeros(x.shape)
        is_real = self._is_real
        x[:, is_real], log_density[:, is_real] = moved_together(x[:, is_real].astype("float64"))
        return x, log_density

    def _apart(self, x):
        """Returns encoded rows, float64, from rows as the model takes them."""
        x = np.array(x, "float64")
        x[:, self._is_real] = moved_apart(x[:, self._is_real])
        return x

    @property
    def _is_real(self):
        return [column.kind == "real" for column in self.schema_.columns]

    def _trained(self, x, seed, family=VAE, **options):
        """Returns a model trained on rows (N, C)."""
        latent_dim = self.latent_dim or min(8, max(2, math.ceil(x.shape[1] / 2)))
        units = tuple(self.hidden_units)
        with seeded(seed):
            model = family(
                TableEncoder(self.schema_, latent_dim, units),
                TableDecoder(self.schema_, latent_dim, units[::-1]),
                ColumnsLikelihood(
                    self.schema_,
                    min_sigma=getattr(self, "min_sigma", 0.01),
                    degrees_of_freedom=getattr(self, "degrees_of_freedom", None),
                ),
                seed=seed,
                **options,
            )
            return fit_updates(model, x, self.num_updates, self.batch_size, self.learning_rate)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within this context a seed determines initial weights; afterwards the state is restored.

    Keras takes the seeds of initial weights from Python's `random`. A model has its own noise, and
    `keras.utils.set_random_seed` would also reseed the user's generators.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


def fit_updates(
    model: Any, x: np.ndarray, num_updates: int, batch_size: int, learning_rate: float
) -> Any:
    """Trains a model for at least `num_updates` updates, in whole epochs, and returns it.

    The learning rate falls to 0 along a cosine.

    Args:
        model: Model of this library.
        x: Array (N, ...).
        num_updates, batch_size: Integers.
        learning_rate: Float, the initial learning rate of Adam.
    """
    batch_size = min(batch_size, len(x))
    steps = math.ceil(len(x) / batch_size)
    epochs = math.ceil(num_updates / steps)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps * epochs)
    # Rare rows must not disturb training: gradients are clipped to a norm of 1.
    model.compile(keras.optimizers.Adam(schedule, global_clipnorm=1.0))
    model.fit(x, epochs=epochs, batch_size=batch_size, verbose=0)
    return model


def moved_together(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Moves numbers beyond 10 standard deviations closer, so that none of them overflows.

    `f(z) = sign(z) (10 + log(1 + |z| - 10))` beyond 10 keeps their order, and
    `log p(z) = log p(f(z)) + log f'(z)` is finite where the density of z itself would be 0.

    Args:
        z: Array (N, C), float64.

    Returns:
        f(z), float32, and log f'(z), both (N, C).
    """
    excess = np.maximum(np.abs(np.nan_to_num(z)) - FAR, 0.0)
    moved = np.where(excess > 0, np.sign(z) * (FAR + np.log1p(excess)), z)
    return moved.astype("float32"), -np.log1p(excess)


def moved_apart(z: np.ndarray) -> np.ndarray:
    """Undoes `moved_together`, up to numbers of 1e130.

    Args:
        z: Array (N, C), float64.
    """
    excess = np.clip(np.abs(z) - FAR, 0.0, 300.0)
    return np.where(excess > 0, np.sign(z) * (FAR + np.expm1(excess)), z)
