"""Fills the gaps of arrays and data frames."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from keras_vae import frames
from keras_vae.arrays import to_numpy
from keras_vae.estimators.rows import RowEstimator
from keras_vae.models import IWAE
from keras_vae.table_schema import TableSchema


class Imputer(OneToOneFeatureMixin, TransformerMixin, RowEstimator):
    """Fills gaps (NaN or `None`) with a MIWAE trained on the observed values.

    Args:
        num_samples: Integer, the K of the training bound.
        num_draws: Integer, the number of weighted draws of z for each row that is filled.
        latent_dim, hidden_units, num_updates, batch_size, learning_rate, min_sigma, schema,
            random_state: See `OutlierDetector`.

    Attributes:
        model_: The trained `IWAE`.

    Example:

    ```python
    complete = Imputer(random_state=0).fit_transform(x)  # where x holds NaN
    ```

    Reference:
        - [Mattei and Frellsen, 2019](https://arxiv.org/abs/1812.02633)
    """

    def __init__(
        self,
        num_samples: int = 10,
        num_draws: int = 500,
        latent_dim: int | None = None,
        hidden_units: Sequence[int] = (128, 64),
        num_updates: int = 3000,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        min_sigma: float = 0.05,
        schema: TableSchema | None = None,
        random_state: Any = None,
    ) -> None:
        self.num_samples = num_samples
        self.num_draws = num_draws
        self.latent_dim = latent_dim
        self.hidden_units = hidden_units
        self.num_updates = num_updates
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.min_sigma = min_sigma
        self.schema = schema
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "Imputer":
        """Trains the model on rows (N, C) with gaps; y is not used."""
        x, _ = self._rows(X, reset=True)
        self.model_ = self._trained(x, self._more_seed(), IWAE, num_samples=self.num_samples)
        return self

    def transform(self, X: Any) -> Any:
        """Returns the rows with their gaps filled, with means, or medians or modes for classes.

        Returns:
            Array (N, C). For a data frame that has not only real columns, a data frame of the same
            library with the same index.
        """
        check_is_fitted(self)
        x, _ = self._rows(X)
        is_missing = np.isnan(x)
        x = self._apart(self.model_.impute(x, num_samples=self.num_draws).values)
        if self.table_schema_ is not None:
            return self._filled_frame(X, x, is_missing)
        given = to_numpy(X, "X").astype("float64")
        return np.where(is_missing, x * self.scale_ + self.location_, given)

    def _filled_frame(self, X, x, is_missing):
        """Returns a frame whose observed values are exactly those given, not re-decoded ones."""
        given = frames.columns_of(X)
        filled = self.schema_.decode(x)
        for i, name in enumerate(self.schema_.names):
            observed = given[name][~is_missing[:, i]]
            values = _objects(_as_real(filled[name]) if _are_real(observed) else filled[name])
            given[name] = np.where(is_missing[:, i], values, given[name])
        columns = {name: values.tolist() for name, values in given.items()}
        return frames.frame_like(columns, X, keep_index=True)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _are_real(values):
    return len(values) > 0 and all(isinstance(value, float | np.floating) for value in values)


def _as_real(values):
    """Whole numbers in the type of the others of their column, without which polars takes none."""
    return [float(v) if isinstance(v, int | np.integer) else v for v in values]


def _objects(values):
    array = np.empty(len(values), "object")
    array[:] = values
    return array
