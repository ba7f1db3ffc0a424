"""Synthetic rows like those of a table."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted
from sklearn.utils.validation import validate_data

from keras_vae.arrays import is_frame
from keras_vae.checks import check_count
from keras_vae.estimators.rows import RowEstimator
from keras_vae.frames import frame_like
from keras_vae.models.base.imputation import sample_rows
from keras_vae.priors import GaussianMixture
from keras_vae.table_schema import TableSchema


class TableSynthesizer(RowEstimator):
    """Draws new rows like those of a table, optionally with given values in some columns.

    Args:
        num_components: Integer, the number of Gaussians of the prior.
        schema: `TableSchema`; with `None` it is inferred, for numbers too.
        latent_dim, hidden_units, num_updates, batch_size, learning_rate, min_sigma, random_state:
            See `OutlierDetector`.

    Attributes:
        model_: The trained `VAE`.
        schema_: `TableSchema` of the rows.

    Example:

    ```python
    synthesizer = TableSynthesizer(random_state=0).fit(frame)
    rows = synthesizer.sample(1000)
    women = synthesizer.sample(100, where={"sex": "F"})
    ```
    """

    def __init__(
        self,
        latent_dim: int | None = 16,
        hidden_units: Sequence[int] = (256, 128),
        num_updates: int = 10_000,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
        min_sigma: float = 0.02,
        num_components: int = 32,
        schema: TableSchema | None = None,
        random_state: Any = None,
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden_units = hidden_units
        self.num_updates = num_updates
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.min_sigma = min_sigma
        self.num_components = num_components
        self.schema = schema
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "TableSynthesizer":
        """Trains the model on a data frame, a dict of columns or an array; y is not used."""
        if hasattr(X, "toarray") or not (is_frame(X) or isinstance(X, Mapping)):
            X = validate_data(
                self, X, dtype="float64", ensure_all_finite="allow-nan", ensure_min_samples=2
            )
        x, _ = self._table_rows(X, reset=True)
        self.like_ = X[:0] if is_frame(X) else X[:0] if isinstance(X, np.ndarray) else None
        # Draws from N(0, I) that fall between two classes would fit neither.
        prior = GaussianMixture(self.num_components)
        self.model_ = self._trained(x, self._more_seed(), prior=prior)
        return self

    def sample(
        self, n: int, where: Mapping[str, Any] | None = None, seed: int | None = None
    ) -> Any:
        """Returns new rows.

        Args:
            n: Integer, the number of rows.
            where: Dict from columns to the values that all rows have there. The other columns are
                drawn given these, by resampling draws from the prior.
            seed: Integer in [0, 2**31), or `None` for fresh noise.

        Returns:
            Data frame of the same library as the training table, array, or dict of lists.

        Raises:
            ValueError: If n is not a positive integer, or `where` names another column or a value
                that the column cannot have.
        """
        check_is_fitted(self)
        n = check_count("n", n)
        schema = self.schema_
        rows = sample_rows(
            self.model_,
            schema,
            n,
            where,
            seed,
            prepare=lambda x: self._together(x)[0],
            restore=self._apart,
        )
        if isinstance(self.like_, np.ndarray):
            return np.stack([rows[name] for name in schema.names], axis=1)
        return rows if self.like_ is None else frame_like(rows, self.like_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
