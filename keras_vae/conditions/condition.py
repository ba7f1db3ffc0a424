"""What a condition is: what a conditional model is told, checked and embedded."""

import keras
import numpy as np


class Condition(keras.layers.Layer):
    """Base class of conditions c in p(x|z, c).

    A condition checks what users hand over, and its call maps it, (B, ...), to the float32 tensor
    (B, *shape) that encoder, decoder and prior see.

    A subclass defines `call`, `expected` and `checked_values`.

    Attributes:
        shape: tuple, the shape of one embedded condition.
        raw_shape, raw_dtype: of one condition as users give it.
        can_be_absent: whether the model also learns without a condition.

    Example:

    ```python
    @keras.saving.register_keras_serializable(package="mine")
    class AngleCondition(keras_vae.Condition):
        def __init__(self, **kwargs):
            super().__init__(shape=(2,), raw_shape=(), raw_dtype="float32", **kwargs)

        def call(self, condition):
            angle = keras.ops.cast(condition, "float32")
            return keras.ops.stack([keras.ops.cos(angle), keras.ops.sin(angle)], axis=-1)

        def expected(self):
            return "angles in radians, (N,)"

        def checked_values(self, array, name):
            if array.ndim != 1 or not np.isfinite(array).all():
                raise ValueError(f"`{name}` must hold {self.expected()}. Received: {array!r}.")
            return array.astype("float32")
    ```
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
