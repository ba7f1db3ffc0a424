"""The interface that all distributions share."""

import math
from collections.abc import Sequence

import keras
from keras import ops

from keras_vae.devices import on_cpu
from keras_vae.operations import plain
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class Distribution:
    """Base class of distributions over tensors, with `sample`, `log_prob`, `mean` and `mode`.

    A distribution is a plain object, neither a layer nor a variable. Its parameters have the shape
    `batch + event`: the first `batch_ndims` axes enumerate independent distributions, and the
    remaining axes are those of one draw, over which `log_prob` sums:

    `log p(x) = sum_i log p(x_i)`

    Parameters and data are cast to float32 whatever the dtype policy, and results are float32.

    A subclass casts its parameters to float32, calls `super().__init__`, and defines `_log_prob(x)`
    (one number per element) and `_sample(shape, seed)`, as well as `mean` (the expectation) and
    `mode` (the most probable value), both of shape `batch + event`.

    Args:
        shape: Tuple of ints, the shape `batch + event` of one draw from every distribution.
        batch_ndims: Integer, the number of leading batch axes: 1 for a mini-batch `(B, ...)`,
            0 for a single distribution such as a prior.

    Raises:
        ValueError: If `batch_ndims` does not lie between 0 and the number of axes.

    Attributes:
        is_discrete: Whether draws are discrete, so that `log_prob` is the logarithm of a
            probability rather than of a density.
        mean: Tensor of shape `batch + event`, the expectation.
        mode: Tensor of shape `batch + event`, the most probable value.

    Example:

    ```python
    class Laplace(keras_vae.Distribution):
        def __init__(self, location, batch_ndims=1):
            self.mean = self.mode = keras.ops.cast(location, "float32")
            super().__init__(keras.ops.shape(self.mean), batch_ndims)

        def _log_prob(self, x):
            return -keras.ops.abs(x - self.mean) - np.log(2.0)

        def _sample(self, shape, seed):
            u = keras.random.uniform(shape, -0.5, 0.5, seed=seed)
            return self.mean - keras.ops.sign(u) * keras.ops.log1p(-2 * keras.ops.abs(u))
    ```
    """

    is_discrete = False
    mean: Tensor
    mode: Tensor

    def __init__(self, shape: Sequence[int], batch_ndims: int = 1) -> None:
        if not 0 <= batch_ndims <= len(shape):
            raise ValueError(
                f"`batch_ndims` of {type(self).__name__} must lie between 0 and the number of axes "
                f"of its parameters, {len(shape)}. Received: batch_ndims={batch_ndims} for "
                f"parameters of shape {tuple(shape)}. A single distribution without a batch "
                "axis, such as a prior, needs `batch_ndims=0`."
            )
        self.shape = tuple(shape)
        self.batch_ndims = batch_ndims
        self.event_ndims = len(shape) - batch_ndims

    def log_prob(self, x: Tensor) -> Tensor:
        """Computes the log-density (or log-mass) of `x`, summed over the event axes.

        Args:
            x: Tensor `(..., *event)`, whose leading axes broadcast against the batch axes:
                `(B, *event)` gives `(B,)`, and K draws for each example, `(K, B, *event)`, give
                `(K, B)`.

        Returns:
            Float32 tensor without the event axes, in nats.

        Raises:
            ValueError: If the trailing axes of `x` are not the event axes.
        """
        x = as_float32(x)
        self._check_event(x)
        return self._summed_log_prob(x)

    def log_prob_of_elements(self, x: Tensor) -> Tensor:
        """Computes the log-density (or log-mass) of every element of `x`, without the sum.

        Args:
            x: Tensor `(..., *event)`, as for `log_prob`.

        Returns:
            Float32 tensor `(..., *event)`, in nats.

        Raises:
            ValueError: If the trailing axes of `x` are not the event axes.
        """
        x = as_float32(x)
        self._check_event(x)
        return self._log_prob(x)

    def log_prob_over_draws(self, x: Tensor, num_draws: int) -> Tensor:
        """Computes the log-density of each `x` under as many distributions as there are draws.

        This is `log p(x|z_k)` if a decoder has been given K draws of z for each of B examples.

        Args:
            x: Tensor `(B, *event)`.
            num_draws: Integer K. The batch axis of the distributions has length KB: those of
                the first draw for every example, then those of the second, and so on.

        Returns:
            Float32 tensor `(K, B)`, in nats.
        """
        repeated = ops.tile(x, (num_draws, *[1] * self.event_ndims))
        return ops.reshape(self.log_prob(repeated), (num_draws, -1))

    def log_prob_of_each(self, x: Tensor) -> Tensor:
        """Computes the log-density of each `x` under every distribution along the last batch axis.

        Args:
            x: Tensor `(..., *event)`, whose leading axes broadcast against all batch axes
                but the last.

        Returns:
            Float32 tensor `(..., K)`, in nats, where K is the length of the last batch axis.
        """
        return self.log_prob(ops.expand_dims(x, -(self.event_ndims + 1)))

    def sample(self, seed: Seed = None, num_samples: int | None = None) -> Tensor:
        """Draws samples from float32 noise.

        Args:
            seed: Integer or `keras.random.SeedGenerator`. With an integer, every call draws the
                same sample. Inside a JAX training step, only a generator owned by a layer advances.
            num_samples: Optional integer K, the number of draws from each distribution.

        Returns:
            Tensor of shape `batch + event`, or `(K,) + batch + event`.
        """
        shape = self.shape if num_samples is None else (num_samples, *self.shape)
        return self._sample(shape, seed)

    def _log_prob(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} does not define `_log_prob`.")

    def _summed_log_prob(self, x: Tensor) -> Tensor:
        # Overridden where the sum is cheaper than its summands.
        return sum_last(self._log_prob(x), self.event_ndims)

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} does not define `_sample`.")

    def _check_event(self, x: Tensor) -> None:
        # Unchecked, (B, 28, 28) would broadcast against (B, 28, 28, 1), and the sum would be 28
        # times too large.
        expected = self.shape[self.batch_ndims :]
        received = tuple(x.shape)[max(len(x.shape) - self.event_ndims, 0) :]
        if not same_static_shape(received, expected):
            raise ValueError(
                f"The trailing axes of `x` must be the event axes {expected} of "
                f"{type(self).__name__}. Received: x.shape={tuple(x.shape)} for parameters of "
                f"shape {self.shape} with batch_ndims={self.batch_ndims}. Give `x` the shape of "
                "a draw, e.g. with a channel axis of length 1 for greyscale images."
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape}, batch_ndims={self.batch_ndims})"


def as_float32(value: Tensor) -> Tensor:
    """Converts a number, array, variable or tensor of any dtype to a float32 tensor."""
    return ops.cast(ops.convert_to_tensor(value), "float32")


def sum_last(values: Tensor, num_axes: int) -> Tensor:
    """Sums `values` over the last `num_axes` axes."""
    if not num_axes:
        return values
    values = flatten_last(values, num_axes)
    if keras.config.backend() == "jax" and on_cpu():
        # XLA's CPU compiler fuses the sum with the computation of its summands, and then runs both
        # one number at a time: 20 times slower for the log-likelihood of an image. A product with
        # ones is not fused. (Not on a GPU, where matrix products are rounded to TF32.)
        return ops.matmul(values, ops.ones((values.shape[-1],), "float32"))
    return plain(ops.sum)(values, -1)


def flatten_last(values: Tensor, num_axes: int) -> Tensor:
    """Joins the last `num_axes` axes of `values`, at least one, into one."""
    if num_axes == 1:
        return values
    sizes = values.shape[-num_axes:]
    size = -1 if None in sizes else math.prod(sizes)  # unknown while TensorFlow traces
    return ops.reshape(values, (*ops.shape(values)[:-num_axes], size))


def same_static_shape(received: Sequence[int], expected: Sequence[int]) -> bool:
    """Returns whether two shapes agree in all axes whose lengths are known while tracing."""
    if len(received) != len(expected):
        return False
    axes = zip(received, expected, strict=True)
    return all(r == e for r, e in axes if isinstance(r, int) and isinstance(e, int))
