"""Real numbers as a condition."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.conditions.condition import Condition
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class ArrayCondition(Condition):
    """Real numbers, such as a vector of features or an image to complete.

    Args:
        shape: Tuple of ints, the shape of one condition.

    Input shape: (B, *shape).
    Output shape: (B, *shape), float32.

    Raises:
        ValueError: If `shape` is not a non-empty tuple of positive integers, or if conditions have
            another shape or are not finite.

    Example:

    ```python
    ArrayCondition((4,))(np.zeros((2, 4)))
    ```
    """

    def __init__(self, shape: Shape, **kwargs: Any) -> None:
        is_shape = isinstance(shape, list | tuple) and all(
            isinstance(n, int | np.integer) and n > 0 for n in shape
        )
        if not is_shape or not shape:
            raise ValueError(
                "`shape` must be a tuple of positive integers, the shape of one condition, such as "
                f"(4,). Received: {shape!r}."
            )
        super().__init__(shape=shape, raw_shape=shape, raw_dtype="float32", **kwargs)

    def call(self, condition: Tensor) -> Tensor:
        return ops.cast(condition, "float32")

    def expected(self) -> str:
        return f"finite numbers of shape (N, {', '.join(map(str, self.shape))})"

    def checked_values(self, array: np.ndarray, name: str) -> np.ndarray:
        if array.dtype.kind not in "buif" or array.shape[1:] != self.shape or array.ndim == 0:
            advice = " Add the batch axis: [None]." if array.shape == self.shape else ""
            raise ValueError(
                f"`{name}` has the wrong shape or type. Expected: {self.expected()}. Received: "
                f"shape {array.shape}, dtype {array.dtype}.{advice}"
            )
        finite = np.isfinite(array).reshape(len(array), math.prod(self.shape)).all(axis=1)
        if not finite.all():
            raise ValueError(
                f"`{name}` holds {int((~finite).sum())} conditions that are not finite, the first "
                f"at index {int(np.argmin(finite))}. Expected: {self.expected()}. Remove or repair "
                "these examples first."
            )
        return array.astype("float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "shape": self.shape}
