"""Encoder and decoder of the rows of a table."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from keras_vae.layers.column_features import ColumnFeatures
from keras_vae.networks.arguments import CHECKS
from keras_vae.networks.heads import dense_heads
from keras_vae.networks.heads import dense_output
from keras_vae.networks.network import Network
from keras_vae.networks.trunks import dense_layers
from keras_vae.table_schema import TableSchema
from keras_vae.table_schema import check_schema
from keras_vae.typing import Tensor

_CHECKS = CHECKS | {"schema": lambda name, value: check_schema(name, value).get_config()}


@keras.saving.register_keras_serializable(package="keras_vae")
class TableEncoder(Network, default_name="encoder", checks=_CHECKS):
    """Maps rows of a table to the mean and log-variance of q(z|x) with dense layers.

    Classes are embedded, and missing values (NaN) are distinguished from all others; see
    `ColumnFeatures`.

    Args:
        schema: `TableSchema`, which encodes the rows.
        latent_dim: Int, D, the size of z.
        hidden_units: Tuple of ints, the units of the hidden layers in order.
        activation: String or callable, the activation of every hidden layer.
        name, dtype, trainable: As for every Keras layer.

    Input shape: x (B, C).
    Output shape: (z_mean, z_log_var), each (B, latent_dim), float32.

    Raises:
        TypeError: If `schema` is not a `TableSchema`.
        ValueError: If a size is not a positive integer.
    """

    def __init__(
        self,
        schema: TableSchema,
        latent_dim: int,
        hidden_units: Sequence[int] = (128, 64),
        activation: str | Callable[[Tensor], Tensor] = "relu",
        **kwargs: Any,
    ) -> None:
        schema = check_schema("schema", schema)
        inputs = keras.Input((len(schema),), name="x", dtype="float32")
        x = ColumnFeatures(schema, name="column_features")(inputs)
        x = dense_layers(x, hidden_units, activation)
        super().__init__([inputs], dense_heads(x, latent_dim, 2), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class TableDecoder(Network, default_name="decoder", checks=_CHECKS):
    """Maps z to the parameters of a `ColumnsLikelihood` with dense layers.

    Args:
        schema: `TableSchema`.
        latent_dim, hidden_units, activation: See `TableEncoder`.
        name, dtype, trainable: As for every Keras layer.

    Input shape: z (B, latent_dim).
    Output shape: (B, P), float32, with P the `num_outputs` of `ColumnsLikelihood(schema)`.

    Raises:
        TypeError: If `schema` is not a `TableSchema`.
        ValueError: If a size is not a positive integer.
    """

    def __init__(
        self,
        schema: TableSchema,
        latent_dim: int,
        hidden_units: Sequence[int] = (64, 128),
        activation: str | Callable[[Tensor], Tensor] = "relu",
        **kwargs: Any,
    ) -> None:
        schema = check_schema("schema", schema)
        z = keras.Input((latent_dim,), name="z")
        x = dense_layers(z, hidden_units, activation)
        num_outputs = sum(column.num_parameters for column in schema.columns)
        super().__init__([z], dense_output(x, (num_outputs,)), **kwargs)
