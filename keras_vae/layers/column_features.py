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
    """Turns rows as a schema encodes them into features, and tells which values are missing.

    A number becomes one feature of a scale of about 1 (of a positive number and of a count their
    logarithm), a class an embedding of its own, learned together with the network. A missing number
    becomes 0, and a missing class has its own embedding. A mask of what is observed is appended.

    Args:
        schema: `TableSchema`.

    Input shape: (B, C), NaN where a value is missing.
    Output shape: (B, F).

    Raises:
        TypeError: If `schema` is no `TableSchema`.
    """

    def __init__(self, schema: TableSchema, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.schema = check_schema("schema", schema)
        kinds = [column.kind for column in self.schema.columns]
        self._classes = [i for i, kind in enumerate(kinds) if kind == "categorical"]
        self._numbers = [i for i, kind in enumerate(kinds) if kind != "categorical"]

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
        features = [self._number(i, x[:, i]) for i in self._numbers]
        features = [ops.stack(features, axis=-1)] if features else []
        for i, embedding in zip(self._classes, self.embeddings, strict=True):
            index = ops.where(is_missing[:, i], float(self.schema.columns[i].num_classes), x[:, i])
            features.append(ops.take(embedding, ops.cast(index, "int32"), axis=0))
        features.append(ops.cast(ops.logical_not(is_missing), "float32"))
        return ops.concatenate(features, axis=-1)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        embedded = sum(self._embedding_dim(i) for i in self._classes)
        return (input_shape[0], len(self._numbers) + embedded + len(self.schema))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "schema": self.schema.get_config()}

    def _embedding_dim(self, i):
        return min(_MAX_EMBEDDING, math.ceil(self.schema.columns[i].num_classes / 2))

    def _number(self, i, x):
        """Returns a feature (B,), 0 where the number is missing."""
        column, is_missing = self.schema.columns[i], ops.isnan(x)
        x = ops.where(is_missing, 1.0, x)
        if column.kind == "positive":
            x = ops.log(ops.maximum(x, 1e-30))
        elif column.kind == "count":
            x = (ops.log1p(x) - np.log1p(np.exp(column.location))) / column.scale
        elif column.categories:
            x = 2.0 * x / (column.num_classes - 1) - 1.0
        return ops.where(is_missing, 0.0, x)
