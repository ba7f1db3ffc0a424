"""Class labels as a condition."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.checks import check_dropout
from keras_vae.conditions.condition import Condition
from keras_vae.typing import Seed
from keras_vae.typing import Tensor

_OUT_OF_RANGE = "Number the classes from 0, or increase `num_classes` to the number of classes."
_NOT_WHOLE = (
    "A label is one class, a whole number. For numbers that are not classes, use ArrayCondition."
)
_WORDS = "Number the classes: `np.unique(labels, return_inverse=True)[1]`."


@keras.saving.register_keras_serializable(package="keras_vae")
class LabelCondition(Condition):
    """A class label, as an integer from 0 to `num_classes - 1` or one-hot; embedded one-hot.

    Args:
        num_classes: Integer, at least 2.
        dropout: Float in [0, 1), the probability with which the label of a training example is
            replaced by zeros, so that one model learns both p(x|c) and p(x). If it is positive,
            labels may be zeros, and may be omitted in `sample`, `reconstruct` and
            `log_likelihood`.

    Input shape: Integers (B,), or one-hot (B, num_classes).
    Output shape: (B, num_classes).

    Raises:
        ValueError: If `num_classes` is not an integer of at least 2, or if `dropout` does not lie
            in [0, 1); or if labels have another shape, are out of range or are not integers.

    Example:

    ```python
    LabelCondition(3)(np.array([2, 0]))  # [[0, 0, 1], [1, 0, 0]]
    ```

    Reference:
        - [Ho and Salimans, 2022](https://arxiv.org/abs/2207.12598), section 3.2, for `dropout`
    """

    def __init__(self, num_classes: int, dropout: float = 0.0, **kwargs: Any) -> None:
        num_classes = check_count("num_classes", num_classes, least=2)
        super().__init__(shape=(num_classes,), raw_shape=(), raw_dtype="int32", **kwargs)
        self.num_classes, self.dropout = num_classes, check_dropout(dropout)

    @property
    def can_be_absent(self) -> bool:
        """Whether labels are dropped in training."""
        return self.dropout > 0

    def call(self, condition: Tensor) -> Tensor:
        if len(condition.shape) == 2 and condition.shape[-1] == self.num_classes:
            return ops.cast(condition, "float32")
        labels = ops.cast(ops.reshape(condition, (-1,)), "int32")
        return ops.one_hot(labels, self.num_classes, dtype="float32")

    def drop(self, condition: Tensor, seed: Seed) -> Tensor:
        if not self.dropout:
            return condition
        one_hot = self(condition)
        kept = keras.random.uniform((ops.shape(one_hot)[0], 1), seed=seed) >= self.dropout
        return one_hot * ops.cast(kept, "float32")

    def expected(self) -> str:
        return f"labels from 0 to {self.num_classes - 1}, as integers (N,) or one-hot"

    def checked_values(self, array: np.ndarray, name: str) -> np.ndarray:
        is_one_hot = array.ndim == 2 and array.shape[1] == self.num_classes
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.dtype.kind not in "buif" or not (is_one_hot or array.ndim == 1):
            advice = "" if array.dtype.kind in "buif" else f" {_WORDS}"
            raise ValueError(
                f"`{name}` has the wrong shape or type. Expected: {self.expected()}. Received: "
                f"shape {array.shape}, dtype {array.dtype}.{advice}"
            )
        if is_one_hot:
            num_ones = array.sum(axis=1)
            is_label = (num_ones == 1) | ((num_ones == 0) & self.can_be_absent)
            bad = ~(((array == 0) | (array == 1)).all(axis=1) & is_label)
        else:
            bad = ~((array >= 0) & (array < self.num_classes) & (array == np.floor(array)))
        if bad.any():
            first = int(np.argmax(bad))
            is_whole = bool(np.all(array[first] == np.floor(array[first])))
            raise ValueError(
                f"`{name}` holds {int(bad.sum())} values that are not labels, the first "
                f"({array[first]}) at index {first}. Expected: {self.expected()}. "
                f"{_OUT_OF_RANGE if is_whole else _NOT_WHOLE}"
            )
        return array.astype("float32" if is_one_hot else "int32")

    def absent(self, num_examples: int) -> np.ndarray:
        return np.zeros((num_examples, self.num_classes), "float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes, "dropout": self.dropout}
