"""The base class of conditions."""

from typing import Any

import keras
import numpy as np

from keras_vae.arrays import to_numpy
from keras_vae.typing import Array
from keras_vae.typing import Seed
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


class Condition(keras.layers.Layer):
    """Base class of conditions c in p(x|z, c).

    A condition layer checks the conditions that users pass. Its call embeds them: it maps a batch
    (B, *raw_shape) to the float32 tensor (B, *shape) that encoder, decoder and prior receive.

    A subclass defines `call`, `expected` and `checked_values`.

    Args:
        shape: Tuple of ints, the shape of one embedded condition.
        raw_shape: Tuple of ints, the shape of one condition as users pass it.
        raw_dtype: String, the dtype of the conditions that `check` returns.

    Attributes:
        can_be_absent: Whether the model also learns from examples without a condition.

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
            return "angles in radians, of shape (N,)"

        def checked_values(self, array, name):
            if array.ndim != 1 or not np.isfinite(array).all():
                raise ValueError(f"`{name}` must hold {self.expected()}. Received: {array!r}.")
            return array.astype("float32")
    ```
    """

    can_be_absent = False

    def __init__(self, shape: Shape, raw_shape: Shape, raw_dtype: str, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.shape, self.raw_shape, self.raw_dtype = tuple(shape), tuple(raw_shape), raw_dtype
        self.built = True

    def check(
        self, condition: Array | None, num_examples: int | None, name: str = "condition"
    ) -> np.ndarray:
        """Checks conditions and returns them as a NumPy array.

        Args:
            condition: Array or tensor (N, *raw_shape).
            num_examples: Integer N, or `None` if any number of conditions is allowed.
            name: String, what to call `condition` in errors.

        Returns:
            NumPy array (N, *raw_shape).

        Raises:
            ValueError: If `condition` is `None`, if it does not hold `num_examples` conditions, or
                if some of its values are not valid conditions.
        """
        if condition is None:
            raise ValueError(
                f"A condition is missing. Expected: `{name}`, {self.expected()}, one for each "
                "example. Received: None. Train with `fit(x, condition)` or on a dataset of "
                "(x, condition), and pass `condition=` elsewhere."
            )
        array = self.checked_values(to_numpy(condition, name), name)
        if num_examples is not None and len(array) != num_examples:
            raise ValueError(
                f"`{name}` must hold one condition for each of the {num_examples} examples. "
                f"Received: {len(array)}, shape {array.shape}. Were some rows dropped or shuffled?"
            )
        return array

    def check_for(self, condition: Array | None, num_examples: int) -> np.ndarray:
        """Checks conditions like `check`, but allows a single condition for all examples.

        If `can_be_absent`, it also allows `None`, for examples without a condition.
        """
        if condition is None and self.can_be_absent:
            return self.absent(num_examples)
        condition = to_numpy(condition, "condition")
        if condition is not None and condition.shape == self.raw_shape:
            condition = self.check(condition[None], 1)
            return np.repeat(condition, num_examples, axis=0)
        return self.check(condition, num_examples)

    def symbolic(self) -> keras.KerasTensor:
        """Returns a symbolic batch of conditions, to build a model with."""
        return keras.KerasTensor((None, *self.raw_shape), self.raw_dtype)

    def drop(self, condition: Tensor, seed: Seed) -> Tensor:
        """Returns the conditions of a training batch, after making some of them absent."""
        return condition

    def expected(self) -> str:
        """Returns a description of valid conditions, for error messages."""
        raise NotImplementedError

    def checked_values(self, array: np.ndarray, name: str) -> np.ndarray:
        """Checks the values of an array of conditions and returns it as `raw_dtype`.

        Args:
            array: NumPy array (N, *raw_shape).
            name: String, what to call `array` in errors.

        Returns:
            NumPy array (N, *raw_shape).

        Raises:
            ValueError: If a value is not a valid condition.
        """
        raise NotImplementedError

    def absent(self, num_examples: int) -> np.ndarray:
        """Returns the array that represents absent conditions, for `num_examples` examples."""
        raise NotImplementedError
