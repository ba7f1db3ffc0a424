"""Outliers: rows and pictures that a VAE finds unlikely."""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import OutlierMixin
from sklearn.utils.validation import check_is_fitted

from keras_vae.estimators.rows import RowEstimator
from keras_vae.estimators.rows import fit_updates
from keras_vae.estimators.rows import seeded
from keras_vae.likelihoods import LearnedSigmaGaussianLikelihood
from keras_vae.models import VAE
from keras_vae.networks import ConvDecoder
from keras_vae.networks import ConvEncoder
from keras_vae.table_schema import TableSchema

_ONLY_FOR_ROWS = ("hidden_units", "min_sigma", "degrees_of_freedom", "schema")


class OutlierDetector(OutlierMixin, RowEstimator):
    """Finds outliers: rows or pictures with a low likelihood under a VAE trained on the data.

    Args:
        contamination: Float in (0, 0.5], the fraction of the training data below the threshold.
        latent_dim: Integer, the size of z; `None` for half the columns, from 2 to 8, or 16 for
            pictures.
        hidden_units: Tuple of ints, the layers of the encoder; the decoder's are reversed. Only for
            rows.
        num_updates: Integer, the number of updates in training.
        batch_size: Integer.
        learning_rate: Float.
        min_sigma: Float, the smallest standard deviation of a column given z, in units of the
            column's own. Only for rows.
        degrees_of_freedom: Float for a Student-t likelihood, or `None` for a Gaussian. Only for
            rows.
        num_models: Integer, the number of models whose scores are averaged.
        method: "bound" or "likelihood"; see `model.score`.
        num_samples: Integer, the number of draws of z for a score.
        schema: `TableSchema` of a data frame. With `None`, a frame of numbers only has real
            columns, like an array; for any other frame the schema is inferred. Only for rows.
        random_state: Integer, `numpy.random.RandomState` or `None`.

    Attributes:
        threshold_: Float, in nats: a row with a lower score is an outlier.
        models_: List of the trained models.
        n_features_in_: Integer, the number of columns.

    Example:

    ```python
    detector = OutlierDetector(contamination=0.01, random_state=0).fit(x_train)
    is_outlier = detector.predict(x_test) == -1
    ```

    Reference:
        - [An and Cho, 2015](http://dm.snu.ac.kr/static/docs/TR/SNUDM-TR-2015-03.pdf)
    """

    def __init__(
        self,
        contamination: float = 0.1,
        latent_dim: int | None = None,
        hidden_units: Sequence[int] = (128, 64),
        num_updates: int = 3000,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        min_sigma: float = 0.05,
        degrees_of_freedom: float | None = None,
        num_models: int = 1,
        method: str = "bound",
        num_samples: int = 16,
        schema: TableSchema | None = None,
        random_state: Any = None,
    ) -> None:
        self.contamination = contamination
        self.latent_dim = latent_dim
        self.hidden_units = hidden_units
        self.num_updates = num_updates
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.min_sigma = min_sigma
        self.degrees_of_freedom = degrees_of_freedom
        self.num_models = num_models
        self.method = method
        self.num_samples = num_samples
        self.schema = schema
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "OutlierDetector":
        """Trains the models on rows (N, C), a data frame or pictures (N, H, W, C).

        Args:
            X: Normal data, with few outliers.
            y: Not used.

        Raises:
            ValueError: If an argument is out of its range, the data are invalid, or X holds
                pictures and an argument that is only for rows differs from its default.
        """
        if not 0 < self.contamination <= 0.5:
            raise ValueError(
                f"`contamination` must lie in (0, 0.5]. Received: {self.contamination!r}."
            )
        x, log_density = self._inputs(X, reset=True)
        seed = self._more_seed()
        self.models_ = [self._model(x, (seed + 7919 * i) % 2**31) for i in range(self.num_models)]
        self.threshold_ = float(np.quantile(self._scores(x, log_density), self.contamination))
        return self

    @property
    def offset_(self) -> float:
        """The threshold, under scikit-learn's name for it."""
        return self.threshold_

    def score_samples(self, X: Any) -> np.ndarray:
        """Returns the score of every row in nats (N,): higher is more normal."""
        check_is_fitted(self)
        return self._scores(*self._inputs(X))

    def score_per_feature(self, X: Any) -> np.ndarray:
        """Returns each feature's mean contribution to log p(x|z), in nats: low if it is unusual.

        Args:
            X: Rows (N, C), a data frame or pictures (N, H, W, C).

        Returns:
            NumPy array (N, C) or (N, H, W, C), 0 where a value is missing. The sum over a row minus
            the cost of z is about the row's score.
        """
        check_is_fitted(self)
        x, log_density = self._inputs(X)
        found = [m.score_per_feature(x, num_samples=self.num_samples) for m in self.models_]
        return np.mean(found, axis=0) + log_density

    def decision_function(self, X: Any) -> np.ndarray:
        """Returns by how much each score exceeds the threshold (N,), negative for an outlier."""
        return self.score_samples(X) - self.threshold_

    def predict(self, X: Any) -> np.ndarray:
        """Returns 1 for normal rows and -1 for outliers (N,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _inputs(self, X, reset=False):
        is_of_pictures = len(getattr(X, "shape", ())) == 4
        if not reset and is_of_pictures != (len(self.models_[0].data_shape) == 3):
            raise ValueError(
                "This OutlierDetector was fitted on "
                f"{'rows (N, C)' if is_of_pictures else 'pictures (N, H, W, C)'}, and cannot score "
                f"anything else. Received: shape {np.shape(X)}. Fit another one on such data."
            )
        if not is_of_pictures:
            return self._rows(X, reset)
        x = np.asarray(X, "float32")
        if reset:
            self._check_arguments_for_pictures(x.shape)
            self.location_, self.scale_ = float(x.mean()), float(x.std()) or 1.0
            self.n_features_in_ = int(np.prod(x.shape[1:]))
        return (x - self.location_) / self.scale_, np.zeros((len(x), 1, 1, 1))

    def _check_arguments_for_pictures(self, shape):
        """Refuses arguments that the model of pictures would not use."""
        defaults = inspect.signature(OutlierDetector).parameters
        given = [
            f"{name}={getattr(self, name)!r}"
            for name in _ONLY_FOR_ROWS
            if not _is_equal(getattr(self, name), defaults[name].default)
        ]
        if given:
            raise ValueError(
                f"{', '.join(f'`{name}`' for name in _ONLY_FOR_ROWS)} of OutlierDetector are only "
                "for rows (N, C) and data frames. Expected: their defaults for pictures (N, H, W, "
                f"C). Received: {', '.join(given)}, and X of shape {shape}. Leave them out."
            )

    def _model(self, x, seed):
        if x.ndim == 2:
            return self._trained(x, seed)
        latent_dim, shape = self.latent_dim or 16, x.shape[1:]
        with seeded(seed):
            networks = ConvEncoder(shape, latent_dim), ConvDecoder(shape, latent_dim)
            model = VAE(*networks, LearnedSigmaGaussianLikelihood(), seed=seed)
            return fit_updates(model, x, self.num_updates, self.batch_size, self.learning_rate)

    def _scores(self, x, log_density):
        options = {"method": self.method, "num_samples": self.num_samples}
        scores = np.mean([model.score(x, **options) for model in self.models_], axis=0)
        return scores + log_density.sum(axis=tuple(range(1, x.ndim)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _is_equal(value, default):
    if isinstance(default, tuple):  # a list of the same numbers is as good
        return tuple(np.ravel(value)) == default
    return value is default or (default is not None and value == default)
