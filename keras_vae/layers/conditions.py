"""Conditions: from what a conditional model is told to what its networks are given."""

import math

import keras
import numpy as np
from keras import ops

from keras_vae.layers.checks import check_count
from keras_vae.layers.dropout import check_dropout


class Condition(keras.layers.Layer):
    """Base class of conditions c in p(x|z, c).

    A condition checks what users hand over, and its call maps it, (B, ...), to the float32 tensor
    (B, *shape) that encoder, decoder and prior see.

    Attributes:
        shape: tuple, the shape of one embedded condition.
        raw_shape, raw_dtype: of one condition as users give it.
        can_be_absent: whether the model also learns without a condition.
    """

    can_be_absent = False

    def __init__(self, shape, raw_shape, raw_dtype, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.shape, self.raw_shape, self.raw_dtype = tuple(shape), tuple(raw_shape), raw_dtype
        self.built = True

    def check(self, condition, num_examples, name="condition"):
        """Returns the conditions of `num_examples` examples as a NumPy array.

        Raises:
            ValueError: missing, another number of them, or values that are no conditions.
        """
        if condition is None:
            raise ValueError(
                f"A condition is missing. Expected: `{name}`, {self.expected()}, one for each "
                "example. Received: None. Train with `fit(x, condition)` or on a data set of "
                "(x, condition), and give `condition=` elsewhere."
            )
        if hasattr(condition, "detach"):  # a torch tensor, whatever backend Keras runs on
            condition = condition.detach().cpu()
        array = self.checked_values(np.asarray(condition), name)
        if num_examples is not None and len(array) != num_examples:
            raise ValueError(
                f"`{name}` must hold one condition for each of the {num_examples} examples. "
                f"Received: {len(array)}, shape {array.shape}. Were some rows dropped or shuffled?"
            )
        return array

    def check_for(self, condition, num_examples):
        """As `check`, where one condition may stand for all examples, and none where the model
        has learned without one."""
        if condition is None and self.can_be_absent:
            return self.absent(num_examples)
        if condition is not None and np.shape(condition) == self.raw_shape:
            condition = np.repeat(np.asarray(condition)[None], num_examples, axis=0)
        return self.check(condition, num_examples)

    def symbolic(self):
        """Returns a `KerasTensor` of a batch of conditions, to build a model with."""
        return keras.KerasTensor((None, *self.raw_shape), self.raw_dtype)

    def drop(self, condition, seed):
        """Returns the conditions of a training batch, some of them made absent."""
        return condition

    def expected(self):
        """Returns what a condition is, in words."""
        raise NotImplementedError

    def checked_values(self, array, name):
        """Returns `array`, checked; raises `ValueError`."""
        raise NotImplementedError

    def absent(self, num_examples):
        """Returns the conditions of examples that have none."""
        raise NotImplementedError


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


@keras.saving.register_keras_serializable(package="keras_vae")
class ArrayCondition(Condition):
    """Real numbers of one shape: a vector of features, or a picture to complete.

    Args:
        shape: tuple of ints, the shape of one condition.

    Input shape: (B, *shape).
    Output shape: (B, *shape), float32.

    Raises:
        ValueError: `shape` is no shape; conditions of another shape, or not finite.

    Example:

    ```python
    ArrayCondition((4,))(np.zeros((2, 4)))
    ```
    """

    def __init__(self, shape, **kwargs):
        is_shape = isinstance(shape, list | tuple) and all(
            isinstance(n, int | np.integer) and n > 0 for n in shape
        )
        if not is_shape or not shape:
            raise ValueError(
                f"`shape` must be the shape of one condition, such as (4,). Received: {shape!r}."
            )
        super().__init__(shape=shape, raw_shape=shape, raw_dtype="float32", **kwargs)

    def call(self, condition):
        return ops.cast(condition, "float32")

    def expected(self):
        return f"finite numbers of shape (N, {', '.join(map(str, self.shape))})"

    def checked_values(self, array, name):
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

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}
