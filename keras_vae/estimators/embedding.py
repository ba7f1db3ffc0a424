"""Embedding of rows in a latent space."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from keras_vae.estimators.rows import RowEstimator
from keras_vae.table_schema import TableSchema


class Embedding(ClassNamePrefixFeaturesOutMixin, TransformerMixin, RowEstimator):
    """Turns the rows of an array or a data frame into the means of q(z|x) of a VAE.

    Args:
        latent_dim, hidden_units, num_updates, batch_size, learning_rate, schema, random_state: See
            `OutlierDetector`.

    Attributes:
        model_: The trained `VAE`.

    Example:

    ```python
    points = Embedding(latent_dim=2, random_state=0).fit_transform(frame)  # (N, 2)
    ```
    """

    def __init__(
        self,
        latent_dim: int | None = None,
        hidden_units: Sequence[int] = (128, 64),
        num_updates: int = 1500,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        schema: TableSchema | None = None,
        random_state: Any = None,
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden_units = hidden_units
        self.num_updates = num_updates
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schema = schema
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "Embedding":
        """Trains the model on rows (N, C); y is not used."""
        x, _ = self._rows(X, reset=True)
        self.model_ = self._trained(x, self._more_seed())
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Returns the mean of q(z|x) of every row, (N, latent_dim)."""
        check_is_fitted(self)
        x, _ = self._rows(X)
        return self.model_.latent_means(x, batch_size=256)

    @property
    def _n_features_out(self) -> int:
        return self.model_.latent_shape[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []  # the model returns float32
        return tags
