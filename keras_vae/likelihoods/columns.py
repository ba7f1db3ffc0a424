"""The likelihood of the rows of a table."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.distributions import Bernoulli
from keras_vae.distributions import Categorical
from keras_vae.distributions import Columns
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Distribution
from keras_vae.distributions import LogNormal
from keras_vae.distributions import NegativeBinomial
from keras_vae.distributions import Observed
from keras_vae.distributions import Ordinal
from keras_vae.distributions import StudentT
from keras_vae.likelihoods.gaussian import LARGEST_LEARNED_SIGMA
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import check_positive
from keras_vae.likelihoods.likelihood import check_scale
from keras_vae.likelihoods.likelihood import refuse_outside_support
from keras_vae.likelihoods.ordinal import add_thresholds
from keras_vae.likelihoods.ordinal import rising
from keras_vae.table_schema import TableSchema
from keras_vae.table_schema import check_schema
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class ColumnsLikelihood(Likelihood):
    """p(x|z) of the rows of a table: each column has the distribution of its kind.

    | kind | distribution | decoder outputs |
    |---|---|---|
    | real | Gaussian, or Student-t | mean, log-variance |
    | positive | log-normal | mean and log-variance of the logarithm |
    | count | negative binomial | log-mean, log of the inverse dispersion |
    | categorical | categorical | one logit per class |
    | ordinal | cumulative logit, with learned thresholds | location |
    | boolean | Bernoulli | logit |

    NaN means "not observed": the likelihood of a row is that of its observed values.

    Args:
        schema: `TableSchema`.
        min_sigma: Positive float, the smallest standard deviation of a real number, in units of
            that of its column, and of the logarithm of a positive number. Without it the density of
            a repeated value would grow without bound.
        degrees_of_freedom: Positive float for a Student-t distribution of real columns; `None` for
            a Gaussian.

    Attributes:
        num_outputs: Integer P, the decoder outputs for a row.

    Input shape: (B, P).
    Returns: `Observed` over (B, C).

    Raises:
        TypeError: If `schema` is not a `TableSchema`.
        ValueError: If `min_sigma` or `degrees_of_freedom` is not a finite positive number, or
            `min_sigma` is above e^10, where log-variances are bounded.

    Reference:
        - [Nazabal et al., 2020](https://arxiv.org/abs/1807.03653), HI-VAE, section 2.2
    """

    allows_missing = True

    def __init__(
        self,
        schema: TableSchema,
        min_sigma: float = 0.01,
        degrees_of_freedom: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.schema = check_schema("schema", schema)
        self.min_sigma = check_scale("min_sigma", min_sigma, 0.0, LARGEST_LEARNED_SIGMA)
        self.degrees_of_freedom = (
            None
            if degrees_of_freedom is None
            else check_positive("degrees_of_freedom", degrees_of_freedom)
        )
        self.is_density = any(c.kind in ("real", "positive") for c in self.schema.columns)
        self._groups = _groups(self.schema)
        self.num_outputs = sum(size * len(columns) for _, size, columns in self._groups)

    def build(self, input_shape: Shape) -> None:
        self.thresholds = {
            key[1]: add_thresholds(self, len(columns), key[1])
            for key, _, columns in self._groups
            if key[0] == "ordinal"
        }

    def call(self, parameters: Tensor) -> Observed:
        groups, start = [], 0
        for key, size, columns in self._groups:
            stop = start + size * len(columns)
            groups.append((columns, self._distribution(key, columns, parameters[..., start:stop])))
            start = stop
        return Observed(Columns(groups))

    def data_shape(self, parameters_shape: Shape) -> Shape:
        if tuple(parameters_shape) != (self.num_outputs,):
            raise ValueError(
                f"ColumnsLikelihood needs {self.num_outputs} decoder outputs for the "
                f"{len(self.schema)} columns of its schema. Received: {tuple(parameters_shape)}. "
                "Build the decoder as TableDecoder(schema, latent_dim)."
            )
        return (len(self.schema),)

    def point(self, distribution: Distribution) -> Tensor:
        """Returns the means of real numbers and counts, the medians of positive and ordinal values,
        and the most probable classes."""
        return distribution.base.assembled(_point)

    def is_nominal(self, data_shape: Shape) -> np.ndarray:
        return self._are("categorical", "boolean")

    def is_ordinal(self, data_shape: Shape) -> np.ndarray:
        return self._are("ordinal")

    def within_range(self, x: np.ndarray) -> np.ndarray:
        return self.schema.clipped(x.reshape(-1, x.shape[-1])).reshape(x.shape)

    def rounded(self, x: np.ndarray) -> np.ndarray:
        return np.where(self._are("count"), np.round(x), x)

    def check(self, x: np.ndarray, name: str = "x") -> None:
        bad = np.zeros(x.shape, "bool")
        for i, column in enumerate(self.schema.columns):
            values = np.where(np.isnan(x[:, i]), 1.0, x[:, i])
            if column.kind == "positive":
                bad[:, i] = values <= 0
            elif column.kind != "real":
                is_whole = values == np.floor(values)
                bad[:, i] = (values < 0) | ~is_whole
                if column.categories:
                    bad[:, i] |= values >= column.num_classes
        refuse_outside_support(
            np.nan_to_num(x),
            bad,
            name,
            "rows as the schema encodes them, column by column",
            "Use `schema.encode(table)`.",
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "schema": self.schema.get_config(),
            "min_sigma": self.min_sigma,
            "degrees_of_freedom": self.degrees_of_freedom,
        }

    def _are(self, *kinds):
        return np.array([c.kind in kinds for c in self.schema.columns])

    def _distribution(self, key, columns, parameters):
        kind, num_classes = key
        if kind == "boolean":
            return Bernoulli(parameters)
        if kind == "ordinal":
            return Ordinal(parameters, rising(self.thresholds[num_classes]))
        if kind == "categorical":
            return Categorical(ops.reshape(parameters, (-1, len(columns), num_classes)))
        first, second = ops.split(parameters, 2, axis=-1)
        if kind == "count":
            start = np.array([self.schema.columns[i].location for i in columns], "float32")
            return NegativeBinomial(first + ops.convert_to_tensor(start), second)
        log_var = ops.logaddexp(second, 2.0 * np.log(self.min_sigma))
        if kind == "positive":
            return LogNormal(first, log_var)
        if self.degrees_of_freedom is not None:
            return StudentT(first, 0.5 * log_var, self.degrees_of_freedom)
        return DiagonalGaussian(first, log_var)


def _groups(schema):
    """Returns [(kind and classes, outputs per column, columns)], with like columns grouped."""
    groups: dict[tuple, list[int]] = {}
    for i, column in enumerate(schema.columns):
        has_logits = column.kind in ("categorical", "ordinal")
        key = (column.kind, column.num_classes if has_logits else 0)
        groups.setdefault(key, []).append(i)
    return [(key, schema.columns[c[0]].num_parameters, c) for key, c in groups.items()]


def _point(distribution):
    if isinstance(distribution, LogNormal | Ordinal):
        return distribution.median
    if isinstance(distribution, Categorical | Bernoulli):
        return distribution.mode
    return distribution.mean
