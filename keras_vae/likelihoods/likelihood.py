"""Likelihoods: layers that map the output of a decoder to p(x|z), and check data."""

import math
import warnings
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.checks import is_number
from keras_vae.distributions import Distribution
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


class Likelihood(keras.layers.Layer):
    """Base class of likelihoods, layers whose call returns the distribution p(x|z).

    A subclass defines `call`, and also `check` unless all numbers are valid data. A likelihood is
    the only part of a model that knows which data are valid. It computes in float32 under every
    dtype policy.

    Attributes:
        num_parameters: Integer, the number of decoder outputs for each element of x. If there are
            several, they lie in blocks along the last axis (all means, then all log-scales).
        is_density: Whether p(x|z) is a density of real numbers, whose nats cannot be reported
            in bits per dimension, rather than the probability of discrete data.
        allows_missing: Whether NaN in x means "not observed", rather than an error.
        spread_of_draws: Float, an upper bound, from practice, on the standard deviation in nats of
            log p(x|z) of one example over draws of z. It determines the tolerance when a number is
            measured again with other draws.
        value_range: Tuple (lowest, highest) of the values that x may have, or `None` if the
            likelihood has no bounds of this form.

    Example:

    ```python
    class Laplace(keras_vae.Distribution):
        def __init__(self, location):
            self.mean = keras.ops.cast(location, "float32")
            super().__init__(keras.ops.shape(self.mean))

        def _log_prob(self, x):
            return -keras.ops.abs(x - self.mean) - np.log(2.0)


    @keras.saving.register_keras_serializable(package="mine")
    class LaplaceLikelihood(keras_vae.Likelihood):
        def call(self, parameters):
            return Laplace(parameters)
    ```
    """

    num_parameters = 1
    is_density = True
    allows_missing = False
    spread_of_draws = 24.0  # 10 on Frey faces
    value_range: tuple[float, float] | None = None

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")  # never compute log-densities in half precision
        super().__init__(**kwargs)

    def call(self, parameters: Tensor) -> Distribution:
        """Returns the distribution p(x|z) whose parameters a decoder returned."""
        raise NotImplementedError

    def attach(self, data_shape: Shape) -> None:
        """Receives the shape of one x from a model that knows it independently of the decoder.

        Most likelihoods do not use it.

        Args:
            data_shape: Tuple of ints, the shape of one x, without the batch axis.
        """

    def check(self, x: np.ndarray, name: str = "x") -> None:
        """Checks that all values of an array lie in the support of the likelihood.

        Args:
            x: NumPy array.
            name: String, what to call `x` in the error.

        Raises:
            ValueError: If a value lies outside the support.
        """

    def is_nominal(self, data_shape: Shape) -> np.ndarray:
        """Returns which elements of one x have no order, so that means of them have no meaning.

        Args:
            data_shape: Tuple of ints, the shape of one x.

        Returns:
            NumPy bool array of that shape.
        """
        return np.zeros(data_shape, "bool")

    def is_ordinal(self, data_shape: Shape) -> np.ndarray:
        """Returns which elements of one x are ordered classes, which are imputed by their median.

        Args:
            data_shape: Tuple of ints, the shape of one x.

        Returns:
            NumPy bool array of that shape.
        """
        return np.zeros(data_shape, "bool")

    def within_range(self, x: np.ndarray) -> np.ndarray:
        """Returns x clipped to the range of the data, if it is known.

        Args:
            x: NumPy array (..., *S).

        Returns:
            NumPy array of that shape.
        """
        return x if self.value_range is None else np.clip(x, *self.value_range)

    def rounded(self, x: np.ndarray) -> np.ndarray:
        """Returns the valid values of the data nearest to x, such as whole numbers for counts.

        Args:
            x: NumPy array (..., *S), such as means.

        Returns:
            NumPy array of that shape.
        """
        return x

    def advise(self, x: np.ndarray, name: str = "x") -> None:
        """Warns about data that are valid but far from the initial p(x|z); called by `fit`.

        Args:
            x: NumPy array, all of the data or a batch.
            name: String, what to call `x` in the warning.
        """

    def point(self, distribution: Distribution) -> Tensor:
        """Returns the value that represents p(x|z) when no draw is requested: its mean."""
        return distribution.mean

    def output_for_mean(self, mean: np.ndarray) -> np.ndarray:
        """Returns the decoder output for which p(x|z) has a given mean.

        It initialises the output bias of a decoder whose training starts at the mean of the data.

        Args:
            mean: NumPy array.

        Returns:
            NumPy array.
        """
        return mean

    def data_shape(self, parameters_shape: Shape) -> Shape:
        """Returns the shape of the data for a given shape of the decoder's output.

        Args:
            parameters_shape: Tuple of ints, the shape of the output, without the batch axis.

        Returns:
            Tuple of ints, the shape of one x, without the batch axis.

        Raises:
            ValueError: If the last axis of the output does not fit the likelihood.
        """
        *spatial, last = parameters_shape
        if last % self.num_parameters:
            raise ValueError(
                f"{type(self).__name__} needs {self.num_parameters} decoder outputs per element, "
                f"so the decoder's last axis must be a multiple of {self.num_parameters}. "
                f"Received: a last axis of {last}. Build the decoder with "
                f"`num_parameters={self.num_parameters}`."
            )
        return (*spatial, last // self.num_parameters)


def refuse_outside_support(
    x: np.ndarray, bad: np.ndarray, name: str, expected: str, cause: str
) -> None:
    """Raises an error if data lie outside the support of a likelihood.

    Args:
        x: NumPy array, the data.
        bad: NumPy bool array of the same shape, true where `x` lies outside the support.
        name: String, what to call `x` in the error.
        expected: String, a description of the support.
        cause: String, advice about the likely cause.

    Raises:
        ValueError: If any element of `bad` is true.
    """
    if not np.any(bad):
        return
    first = tuple(int(i) for i in np.unravel_index(np.argmax(bad), bad.shape))
    raise ValueError(
        f"`{name}` holds values that the likelihood cannot have produced. Expected: {expected}. "
        f"Received: shape {x.shape}, dtype {x.dtype}, values from {x.min():g} to {x.max():g}; the "
        f"first bad one is {x[first]:g} at index {first}. {cause}"
    )


def warn_of_bytes(x: np.ndarray, sigma: float, name: str, cure: str) -> None:
    """Warns if data look like 8-bit images and a learned sigma starts far below their scale.

    Args:
        x: NumPy array, the data.
        sigma: Float, the initial sigma.
        name: String, what to call `x` in the warning.
        cure: String, an alternative to dividing by 255.
    """
    low, high = float(np.min(x)), float(np.max(x))
    if low < 0 or not 64 < high <= 255 or sigma > high / 32:
        return
    warnings.warn(
        f"`{name}` has values from {low:g} to {high:g}, like 8-bit images, and sigma begins at "
        f"{sigma:g}: the first costs are so large that training is slow, or fails. Divide the data "
        f"by 255{cure}.",
        stacklevel=2,
    )


def split_parameters(parameters: Tensor) -> list[Tensor]:
    """Splits the last axis into its two blocks of parameters."""
    return ops.split(parameters, 2, axis=-1)


def check_positive(name: str, value: float) -> float:
    """Returns `value` as a float.

    Raises:
        ValueError: If `value` is not a finite positive number.
    """
    if not value > 0 or not math.isfinite(value):
        raise ValueError(f"`{name}` must be a positive number. Received: {value!r}.")
    return float(value)


def check_scale(argument: str, value: float, least: float, most: float) -> float:
    """Returns a scale of data as a float.

    Raises:
        ValueError: If `value` is not a positive number from `least` to `most`, the range in which
            densities can have this scale.
    """
    value = check_positive(argument, value)
    if not least <= value <= most:
        raise ValueError(
            f"`{argument}` must lie between {least:.3g} and {most:.3g}, as beyond that the density "
            f"would have another scale, or none. Received: {value:g}. Data of such a scale must be "
            "divided by their standard deviation first: give a number nearer to 1 then."
        )
    return value


def check_range(argument: str, value: Any) -> tuple[float, float]:
    """Returns `value` as a tuple of two floats.

    Raises:
        ValueError: If `value` is not a pair of finite numbers, the lower one first.
    """
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    if not is_pair or not all(is_number(v) and math.isfinite(v) for v in value):
        raise ValueError(f"`{argument}` must be a pair of finite numbers. Received: {value!r}.")
    low, high = map(float, value)
    if not low < high:
        raise ValueError(f"`{argument}` must start with the lower number. Received: {value!r}.")
    return low, high
