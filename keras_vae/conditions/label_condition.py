"""Class labels as a condition."""

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.checks import check_dropout
from keras_vae.conditions.condition import Condition


@keras.saving.register_keras_serializable(package="keras_vae")
class LabelCondition(Condition):
    """A class label, 0 to `num_classes - 1`, as an integer or one-hot; given to networks one-hot.

    Args:
        num_classes: int, at least 2.
        dropout: float in [0, 1): with this probability a training example is shown without its
            label, as zeros, so that one model learns p(x|c) and p(x). Labels may then be zeros,
            or be left out in `sample`, `reconstruct` and `log_likelihood` (Ho, Salimans 2022,
            "Classifier-free diffusion guidance", section 3.2).

    Input shape: integers (B,), or one-hot (B, num_classes).
    Output shape: (B, num_classes).

    Raises:
        ValueError: an argument that is not as above; labels out of range, or not integers.

    Example:

    ```python
    LabelCondition(3)(np.array([2, 0]))  # [[0, 0, 1], [1, 0, 0]]
    ```
    """

    def __init__(self, num_classes, dropout=0.0, **kwargs):
        num_classes = check_count("num_classes", num_classes, least=2)
        super().__init__(shape=(num_classes,), raw_shape=(), raw_dtype="int32", **kwargs)
        self.num_classes, self.dropout = num_classes, check_dropout(dropout)

    @property
    def can_be_absent(self):
        """Whether labels were dropped in training."""
        return self.dropout > 0

    def call(self, condition):
        if len(condition.shape) == 2 and condition.shape[-1] == self.num_classes:
            return ops.cast(condition, "float32")
        labels = ops.cast(ops.reshape(condition, (-1,)), "int32")
        return ops.one_hot(labels, self.num_classes, dtype="float32")

    def drop(self, condition, seed):
        if not self.dropout:
            return condition
        one_hot = self(condition)
        kept = keras.random.uniform((ops.shape(one_hot)[0], 1), seed=seed) >= self.dropout
        return one_hot * ops.cast(kept, "float32")

    def expected(self):
        return f"labels from 0 to {self.num_classes - 1}, as integers (N,) or one-hot"

    def checked_values(self, array, name):
        is_one_hot = array.ndim == 2 and array.shape[1] == self.num_classes
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.dtype.kind not in "buif" or not (is_one_hot or array.ndim == 1):
            raise ValueError(
                f"`{name}` has the wrong shape or type. Expected: {self.expected()}. Received: "
                f"shape {array.shape}, dtype {array.dtype}."
            )
        if is_one_hot:
            num_ones = array.sum(axis=1)
            is_label = (num_ones == 1) | ((num_ones == 0) & self.can_be_absent)
            bad = ~(((array == 0) | (array == 1)).all(axis=1) & is_label)
        else:
            bad = ~((array >= 0) & (array < self.num_classes) & (array == np.floor(array)))
        if bad.any():
            first = int(np.argmax(bad))
            raise ValueError(
                f"`{name}` holds {int(bad.sum())} values that are no labels, the first "
                f"({array[first]}) at index {first}. Expected: {self.expected()}. Count classes "
                "from 0, or give the model as many `num_classes` as there are."
            )
        return array.astype("float32" if is_one_hot else "int32")

    def absent(self, num_examples):
        return np.zeros((num_examples, self.num_classes), "float32")

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "dropout": self.dropout}
