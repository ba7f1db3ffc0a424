"""Turns the rows of a table into features for a network."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.table_schema import TableSchema
from keras_vae.table_schema import check_schema
from keras_vae.typing import Shape
from keras_vae.typing import Tensor

_MAX_EMBEDDING = 16


@keras.saving.register_keras_serializable(package="keras_vae")
class ColumnFeatures(keras.layers.Layer):
    """Turns rows encoded by a schema into features, and marks missing values.

    A number becomes one feature of a scale of about 1 (for positive numbers and counts, after
    taking the logarithm), and a class becomes an embedding, learned together with the network. A
    missing number becomes 0, and a missing class has an embedding of its own. A mask of the
    observed values is appended.

    Args:
        schema: `TableSchema`.

    Input shape: (B, C), NaN where a value is missing.
    Output shape: (B, F).

    Raises:
        TypeError: If `schema` is not a `TableSchema`.
    """

    def __init__(self, schema: TableSchema, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.schema = check_schema("schema", schema)
        kinds = [column.kind for column in self.schema.columns]
        self._classes = [i for i, kind in enumerate(kinds) if kind == "categorical"]
        self._affine = [i for i, k in enumerate(kinds) if k in ("real", "ordinal", "boolean")]
        self._positive = [i for i, kind in enumerate(kinds) if kind == "positive"]
        self._counts = [i for i, kind in enumerate(kinds) if kind == "count"]

    def build(self, input_shape: Shape) -> None:
        self.embeddings = [
            self.add_weight(
                name=f"embedding_{i}",
                shape=(self.schema.columns[i].num_classes + 1, self._embedding_dim(i)),
                initializer="uniform",
            )
            for i in self._classes
        ]

    def call(self, x: Tensor) -> Tensor:
        is_missing = ops.isnan(x)
        features = self._number_features(ops.where(is_missing, 1.0, x))
        if features:
            numbers = ops.concatenate(features, axis=-1)
            order = [*self._affine, *self._positive, *self._counts]
            features = [ops.where(ops.take(is_missing, order, axis=-1), 0.0, numbers)]
        for i, embedding in zip(self._classes, self.embeddings, strict=True):
            index = ops.where(is_missing[:, i], float(self.schema.columns[i].num_classes), x[:, i])
            features.append(ops.take(embedding, ops.cast(index, "int32"), axis=0))
        features.append(ops.cast(ops.logical_not(is_missing), "float32"))
        return ops.concatenate(features, axis=-1)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        embedded = sum(self._embedding_dim(i) for i in self._classes)
        num_numbers = len(self.schema) - len(self._classes)
        return (input_shape[0], num_numbers + embedded + len(self.schema))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "schema": self.schema.get_config()}

    def _embedding_dim(self, i):
        return min(_MAX_EMBEDDING, math.ceil(self.schema.columns[i].num_classes / 2))

    def _number_features(self, x):
        """Returns a list of features (B, n) of the columns that are not classes, by group."""
        features = []
        if self._affine:
            columns = [self.schema.columns[i] for i in self._affine]
            slopes = [2.0 / (c.num_classes - 1) if c.categories else 1.0 for c in columns]
            starts = [-1.0 if c.categories else 0.0 for c in columns]
            affine = ops.take(x, self._affine, axis=-1)
            features.append(affine * _tensor(slopes) + _tensor(starts))
        if self._positive:
            # A missing value is 0, whose logarithm is not finite; the mask marks it anyway.
            features.append(ops.log(ops.maximum(ops.take(x, self._positive, axis=-1), 1e-30)))
        if self._counts:
            columns = [self.schema.columns[i] for i in self._counts]
            centre = _tensor([np.log1p(np.exp(c.location)) for c in columns])
            logs = ops.log1p(ops.take(x, self._counts, axis=-1))
            features.append((logs - centre) / _tensor([c.scale for c in columns]))
        return features


def _tensor(values):
    return ops.convert_to_tensor(np.array(values, "float32"))
