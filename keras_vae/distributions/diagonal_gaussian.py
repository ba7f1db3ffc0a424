"""Gaussian with independent dimensions: posterior, prior and likelihood."""

import math
from collections.abc import Sequence
from numbers import Real

import keras
from keras import ops

from keras_vae.devices import products_are_exact
from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.distributions.base import sum_last
from keras_vae.distributions.bounds import soft_bound
from keras_vae.distributions.kl import register_kl
from keras_vae.typing import Seed
from keras_vae.typing import Tensor

LOG_2_PI = math.log(2.0 * math.pi)


class DiagonalGaussian(Distribution):
    """Gaussian with a diagonal covariance, `N(x; mean, diag(exp(log_var)))`.

    `log p(x) = -1/2 sum_i [(x_i - mean_i)^2 / exp(log_var_i) + log_var_i + log(2 pi)]`

    It is the posterior and the prior of Kingma and Welling (appendices B and C.2), and the Gaussian
    likelihood with one fixed sigma (`log_var` a number), one learned sigma (`log_var` a scalar
    variable) or one sigma per element (`log_var` in the shape of `mean`). In each case
    `log_var = 2 * log(sigma)`.

    Args:
        mean: Tensor of shape `batch + event`.
        log_var: Tensor or number, the log-variance, of any shape that broadcasts to that of `mean`.
            A tensor is bounded by `soft_bound`, which is the identity up to 20 and logarithmic
            beyond. A number is taken as it is.
        batch_ndims: Number of leading batch axes. Defaults to 1.

    Raises:
        ValueError: If `log_var` has more axes than `mean`.

    Example:

    >>> posterior = DiagonalGaussian(z_mean, z_log_var)  # (B, D)
    >>> z = posterior.sample(seed=1)  # (B, D), reparameterised
    >>> prior = DiagonalGaussian(np.zeros(D), 0.0, batch_ndims=0)
    >>> kl_divergence(posterior, prior)  # (B,) nats

    Reference:
        - [Kingma and Welling, 2014](https://arxiv.org/abs/1312.6114)
    """

    def __init__(self, mean: Tensor, log_var: Tensor, batch_ndims: int = 1) -> None:
        self.mean = as_float32(mean)
        # A number is chosen by the user, and cannot diverge in training.
        is_number = isinstance(log_var, Real)
        self.log_var = as_float32(log_var) if is_number else soft_bound(as_float32(log_var))
        if len(self.log_var.shape) > len(self.mean.shape):
            raise ValueError(
                "`log_var` must broadcast to the shape of `mean`. Received: "
                f"mean.shape={tuple(self.mean.shape)}, log_var.shape={tuple(self.log_var.shape)}. "
                "Give `mean` the full shape `batch + event`."
            )
        super().__init__(ops.shape(self.mean), batch_ndims)

    @property
    def std(self) -> Tensor:
        """The standard deviation, in the shape of `log_var`."""
        return ops.exp(0.5 * self.log_var)

    @property
    def mode(self) -> Tensor:
        """The mean."""
        return self.mean

    def sample_from(self, noise: Tensor) -> Tensor:
        """Returns the draws that correspond to standard normal noise.

        Args:
            noise: Tensor `(K, *event)`: the same K draws of noise for all distributions, so that
                the draws from one do not depend on the rest of the batch.

        Returns:
            Float32 tensor `(K,) + batch + event`.
        """
        shape = (-1, *[1] * self.batch_ndims, *self.shape[self.batch_ndims :])
        return self.mean + self.std * ops.reshape(as_float32(noise), shape)

    def log_prob_of_each(self, x: Tensor) -> Tensor:
        """Computes the log-density of each `x` under every Gaussian along the last batch axis.

        For K Gaussians over vectors, as in a prior of many components, the square is expanded,

        `sum_i (x_i - m_i)^2 / v_i = sum_i x_i^2 / v_i - 2 x_i m_i / v_i + m_i^2 / v_i`,

        so that matrix products compute `(..., K)` from `x` `(..., D)` without the differences
        `(..., K, D)`. Their rounding errors are about 1e-7 of the three terms, which is large if
        sigma is small. The likeliest Gaussian, which dominates the density of a mixture, is
        therefore evaluated from the differences.
        """
        if (self.batch_ndims, self.event_ndims) != (1, 1) or not products_are_exact():
            return super().log_prob_of_each(x)
        x = as_float32(x)
        self._check_event(x)
        log_var = ops.broadcast_to(self.log_var, self.shape)
        each = _log_densities_by_products(x, self.mean, log_var)
        likeliest = ops.argmax(each, axis=-1)
        mean, log_var = (ops.take(rows, likeliest, axis=0) for rows in (self.mean, log_var))
        exact = sum_last(_log_densities(x, mean, log_var), 1)
        is_likeliest = ops.one_hot(likeliest, self.shape[0], dtype="bool")
        return ops.where(is_likeliest, ops.expand_dims(exact, -1), each)

    def _log_prob(self, x: Tensor) -> Tensor:
        return _log_densities(x, self.mean, self.log_var)

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        noise = keras.random.normal(shape, dtype="float32", seed=seed)
        return self.mean + self.std * noise


class StandardGaussian(DiagonalGaussian):
    """The Gaussian N(0, I) over one event: a `DiagonalGaussian` whose divergences cost less.

    Args:
        shape: Tuple of ints, the event. An axis that is `None`, as for maps of any size, takes its
            length from the argument of `log_prob`, or from the other distribution of a divergence.

    Raises:
        ValueError: Raised by `sample` if an axis of the event is `None`.

    Example:

    >>> prior = StandardGaussian((2,))
    >>> prior.log_prob(np.zeros((1, 2)))  # [-1.8379], which is -log(2 pi)
    """

    def __init__(self, shape: Sequence[int | None]) -> None:
        Distribution.__init__(self, shape, batch_ndims=0)  # type: ignore[arg-type]

    @property
    def mean(self) -> Tensor:  # type: ignore[override]
        """Zeros, created on access because a divergence does not need them."""
        return ops.zeros([n or 1 for n in self.shape], "float32")

    @property
    def log_var(self) -> Tensor:  # type: ignore[override]
        """Zeros."""
        return self.mean

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        if None in shape:
            raise ValueError(
                f"Draws of N(0, I) over {self.shape} have no known size. Expected: a shape without "
                "`None`, as returned by `prior.over((height, width, channels))`."
            )
        return super()._sample(shape, seed)


def _log_densities(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Returns the log-density of every element."""
    standardised = (x - mean) * ops.exp(-0.5 * log_var)
    return -0.5 * (ops.square(standardised) + log_var + LOG_2_PI)


def _log_densities_by_products(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Returns the log-density `(..., K)` of every x `(..., D)` under every Gaussian `(K, D)`."""
    # With the origin at the centre of the means, the terms and their rounding errors are small. The
    # result does not depend on the origin, so no gradient needs to flow through it.
    origin = ops.stop_gradient(ops.mean(mean, axis=0))
    x, mean = x - origin, mean - origin
    precision = ops.exp(-log_var)
    distance = (
        ops.matmul(ops.square(x), ops.transpose(precision))
        - 2.0 * ops.matmul(x, ops.transpose(mean * precision))
        + sum_last(ops.square(mean) * precision, 1)
    )
    # Rounding may leave a distance slightly below 0.
    return -0.5 * (ops.relu(distance) + sum_last(log_var + LOG_2_PI, 1))


def kl_per_dimension(q: DiagonalGaussian, p: DiagonalGaussian) -> Tensor:
    """Computes `KL(q || p)` of two diagonal Gaussians in nats, for each dimension.

    It is `1/2 [var_q / var_p - 1 - log(var_q / var_p) + (mean_q - mean_p)^2 / var_p]`. For a
    standard normal `p` these are the summands of appendix B of Kingma and Welling.

    Args:
        q: `DiagonalGaussian` `(B, *event)`.
        p: `DiagonalGaussian` whose parameters broadcast to those of `q`.

    Returns:
        Float32 tensor `(B, *event)`, in nats.

    Reference:
        - [Kingma and Welling, 2014](https://arxiv.org/abs/1312.6114)
    """
    log_ratio = q.log_var - p.log_var
    shift = (q.mean - p.mean) * ops.exp(-0.5 * p.log_var)
    # expm1, as exp(log_ratio) - 1 would lose the digits of a KL close to 0.
    return 0.5 * (ops.expm1(log_ratio) - log_ratio + ops.square(shift))


@register_kl(DiagonalGaussian, DiagonalGaussian)
def _kl_gaussian_gaussian(q: DiagonalGaussian, p: DiagonalGaussian) -> Tensor:
    return sum_last(kl_per_dimension(q, p), q.event_ndims)


@register_kl(DiagonalGaussian, StandardGaussian)
def _kl_gaussian_standard(q: DiagonalGaussian, p: StandardGaussian) -> Tensor:
    # The same with zeros for the parameters of p, which need no operations.
    summands = ops.expm1(q.log_var) - q.log_var + ops.square(q.mean)
    return 0.5 * sum_last(summands, q.event_ndims)
