"""The logarithm of the gamma function, and the parts of it for log-densities of large counts."""

from keras import ops

from keras_vae.distributions.base import as_float32
from keras_vae.typing import Tensor

HALF_LOG_2_PI = 0.9189385332046727


def log_gamma(x: Tensor) -> Tensor:
    """Returns `log Gamma(x)` for positive `x`, with its gradient; `keras.ops` lacks it.

    Written in `keras.ops`, so that all backends give the same digits. If two of these are
    subtracted, or `x log x` from one, large x lose digits that the functions below keep.

    Args:
        x: Tensor of positive numbers.

    Returns:
        Float32 tensor of the shape of `x`.
    """
    x = as_float32(x)
    # log Gamma(x) = log Gamma(x + 1) - log x
    return stirling_excess(x) + (x - 1.0) * ops.log(x) - x


def stirling_excess(x: Tensor) -> Tensor:
    """Returns `g(x) = log Gamma(x + 1) - x log x + x` for x >= 0, with g(0) = 0.

    `x log x - x` is most of the logarithm of x!, and cancels in the probability of a count. What
    remains grows as `1/2 log(2 pi x)`, and so is exact in float32 to about 1e-6 for every x.

    Args:
        x: Float32 tensor of numbers of at least 0.

    Returns:
        Float32 tensor of the shape of `x`.

    Reference:
        - [Loader, 2000](https://www.r-project.org/doc/reports/CLoader-dbinom-2002.pdf), "Fast and
          accurate computation of binomial probabilities", section 2
    """
    # Each branch gets a number for which it and its gradient are finite.
    is_large = x > 4.0
    large = ops.where(is_large, x, 5.0)
    small = ops.where(is_large, 1.0, x)
    by_series = 0.5 * ops.log(large) + HALF_LOG_2_PI + _series(large)
    # Gamma(x + 1) = Gamma(x + 5) / ((x + 1)(x + 2)(x + 3)(x + 4))
    shifted = small + 4.0
    product = (small + 1.0) * (small + 2.0) * (small + 3.0) * shifted
    log_factorial = (
        (shifted + 0.5) * ops.log(shifted)
        - shifted
        + HALF_LOG_2_PI
        + _series(shifted)
        - ops.log(product)
    )
    # A tiny number stands for 0: 0 log 0 = 0, and no gradient is NaN.
    by_shift = log_factorial - small * ops.log(ops.maximum(small, 1e-37)) + small
    return ops.where(is_large, by_series, by_shift)


def deviance(x: Tensor, mean: Tensor, difference: Tensor) -> Tensor:
    """Returns `x log(x / mean) + mean - x`, which is 0 at `x = mean` and positive elsewhere.

    Args:
        x: Float32 tensor of numbers of at least 0.
        mean: Float32 tensor of positive numbers.
        difference: `x - mean`, which the caller may know more exactly than a subtraction gives it.

    Returns:
        Float32 tensor.

    Reference:
        - [Loader, 2000](https://www.r-project.org/doc/reports/CLoader-dbinom-2002.pdf), section 2
    """
    v = difference / (x + mean)
    is_near = ops.abs(v) < 0.2
    near = ops.where(is_near, v, 0.0)
    square = ops.square(near)
    # log(x / mean) = 2 artanh(v)
    tail = square * (1 / 3 + square * (1 / 5 + square * (1 / 7 + square * (1 / 9 + square / 11))))
    by_series = near * difference + 2.0 * x * near * tail
    # Far from the mean nothing cancels. Near it the values are replaced, as is 0 log 0.
    # Some processors treat numbers below 1e-37 as 0, whose logarithm is not finite.
    safe_x, safe_mean = (ops.maximum(ops.where(is_near, 1.0, v), 1e-37) for v in (x, mean))
    log_ratio = ops.log(safe_x) - ops.log(safe_mean)
    return ops.where(is_near, by_series, x * log_ratio - difference)


def _series(x):
    """Stirling's series from 1/(12 x) on, for x of at least 4: the next term is below 4e-9."""
    inverse = 1.0 / x
    square = ops.square(inverse)
    return inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))
