"""Marks for a network which values are observed."""

from typing import Any

import keras
from keras import ops

from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class ObservedValues(keras.layers.Layer):
    """Replaces NaN by 0, and appends a mask that is 1 where a value is observed.

    Input shape: (B, ..., C), with NaN where a value is missing.
    Output shape: (B, ..., 2C), the values, then the mask.

    Example:

    >>> ObservedValues()(np.array([[0.5, np.nan]]))  # [[0.5, 0., 1., 0.]]

    Reference:
        - [Mattei and Frellsen, 2019](https://arxiv.org/abs/1812.02633), zero imputation
    """

    def call(self, x: Tensor) -> Tensor:
        is_missing = ops.isnan(x)
        mask = ops.cast(ops.logical_not(is_missing), x.dtype)
        return ops.concatenate([ops.where(is_missing, ops.zeros_like(x), x), mask], axis=-1)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*input_shape[:-1], 2 * input_shape[-1])
