"""What a likelihood is: a layer from decoder parameters to p(x|z), which checks data."""

import math

import keras
import numpy as np
from keras import ops


class Likelihood(keras.layers.Layer):
    """Base class: a layer whose call returns the distribution p(x|z).

    A subclass defines `call`, and where not every number can be data also `check`. It is the one
    place that knows what data look like. It computes in float32 under every dtype policy.

    Attributes:
        num_parameters: how many decoder outputs belong to each element of x. With more than one,
            they lie in blocks along the last axis (all means, then all log-scales).
        is_density: whether p(x|z) is a density of real numbers, whose nats cannot be told in bits
            per dimension, and not the probability of discrete data.
        spread_of_draws: how far log p(x|z) of one example spreads over draws of z, in nats: a
            standard deviation above those seen in practice. When a number is measured again with
            other draws, the difference that is allowed follows from it.

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
    spread_of_draws = 24.0  # 10 on Frey faces

    def __init__(self, **kwargs):
        kwargs.setdefault("dtype", "float32")  # log-densities never in half precision
        super().__init__(**kwargs)

    def call(self, parameters):
        """Returns p(x|z) for the decoder's output `parameters`."""
        raise NotImplementedError

    def attach(self, data_shape):
        """Tells the likelihood the shape of one x, without the batch axis, where its model knows
        it from elsewhere than the decoder. Most have no use for it."""

    def check(self, x, name="x"):
        """Raises `ValueError` where the NumPy array `x` lies outside the support."""

    def point(self, distribution):
        """Returns the one value that stands for p(x|z) where no draw is asked for: its mean."""
        return distribution.mean

    def output_for_mean(self, mean):
        """Returns the decoder output whose likelihood has this mean, for a NumPy array of means.

        It is where a decoder's output bias starts when training begins at the mean of the data.
        """
        return mean

    def data_shape(self, parameters_shape):
        """Returns the shape of x, without the batch axis, that decoder outputs of this shape
        (also without it) describe."""
        *spatial, last = parameters_shape
        if last % self.num_parameters:
            raise ValueError(
                f"{type(self).__name__} needs {self.num_parameters} decoder outputs per element, "
                f"so the decoder's last axis must be a multiple of {self.num_parameters}. It is "
                f"{last}. Build the decoder with `num_parameters={self.num_parameters}`."
            )
        return (*spatial, last // self.num_parameters)


def refuse_outside_support(x, bad, name, expected, cause):
    """Raises the error that names the first element of `x` where `bad` is true."""
    if not np.any(bad):
        return
    first = tuple(int(i) for i in np.unravel_index(np.argmax(bad), bad.shape))
    raise ValueError(
        f"`{name}` holds values that the likelihood cannot have produced. Expected: {expected}. "
        f"Received: shape {x.shape}, dtype {x.dtype}, values from {x.min():g} to {x.max():g}; the "
        f"first bad one is {x[first]:g} at index {first}. {cause}"
    )


def split_parameters(parameters):
    return ops.split(parameters, 2, axis=-1)


def check_positive(name, value):
    if not value > 0 or not math.isfinite(value):
        raise ValueError(f"`{name}` must be a positive number. Received: {value!r}.")
    return float(value)
