"""Negative binomial distribution: counts that vary more than a Poisson distribution allows."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.distributions.bounds import soft_bound
from keras_vae.distributions.gamma import deviance
from keras_vae.distributions.gamma import stirling_excess
from keras_vae.distributions.poisson import sample_poisson
from keras_vae.noise import seed_of_part
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class NegativeBinomial(Distribution):
    """Independent counts with mean `mu` and variance `mu + mu^2 / r`, r the inverse dispersion.

    `log p(x) = sum_i log Gamma(x + r) - log Gamma(r) - log(x!)
    + r log(r / (r + mu)) + x log(mu / (r + mu))`

    As r grows it becomes the Poisson distribution. It is computed from deviances and the remainder
    of Stirling's formula, so that neither large counts nor a large r lose digits.

    Args:
        log_mean: Tensor of shape `batch + event`.
        log_inverse_dispersion: Tensor, log r, of any shape that broadcasts to that of `log_mean`.
            Both are bounded by `soft_bound`, which is the identity up to 20 and logarithmic beyond.
        batch_ndims: Number of leading batch axes. Defaults to 1.

    Example:

    >>> counts = NegativeBinomial(decoder(z), log_r)  # (B, 33), with log_r (33,)
    >>> counts.log_prob(x)  # (B,) nats

    Reference:
        - [Loader, 2000](https://www.r-project.org/doc/reports/CLoader-dbinom-2002.pdf), section 5
        - [Lopez et al., 2018](https://doi.org/10.1038/s41592-018-0229-2), for its use in a VAE
    """

    is_discrete = True

    def __init__(
        self, log_mean: Tensor, log_inverse_dispersion: Tensor, batch_ndims: int = 1
    ) -> None:
        self.log_mean = soft_bound(as_float32(log_mean))
        self.log_inverse_dispersion = soft_bound(as_float32(log_inverse_dispersion))
        super().__init__(ops.shape(self.log_mean), batch_ndims)

    @property
    def mean(self) -> Tensor:
        """The mean, mu."""
        return ops.exp(self.log_mean)

    @property
    def mode(self) -> Tensor:
        """The most probable count, the integer part of mu (r - 1) / r, and 0 for r below 1."""
        shrunk = 1.0 - ops.exp(-self.log_inverse_dispersion)
        return ops.floor(self.mean * ops.relu(shrunk))

    def _log_prob(self, x: Tensor) -> Tensor:
        mu, r = self.mean, ops.exp(self.log_inverse_dispersion)
        # p(x) is r / (r + x) times the binomial probability of x failures and r successes.
        total = r + x
        share = r / (r + mu)
        # As deviances, which keep their digits where r or x is large; differences of log-gamma
        # functions of 1e8 would not.
        of_r = deviance(r, total * share, share * (mu - x))
        of_x = deviance(x, total * (mu / (r + mu)), share * (x - mu))
        excess = stirling_excess(total) - stirling_excess(r) - stirling_excess(x)
        return excess - ops.log1p(x / r) - of_r - of_x

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        r = ops.broadcast_to(ops.exp(self.log_inverse_dispersion), shape)
        # For a large r the gamma variable deviates from 1 by only 1 / sqrt(r).
        bounded = ops.clip(r, 1e-6, 1e6)
        drawn = keras.random.gamma(
            shape, bounded, dtype="float32", seed=seed_of_part(seed, "gamma")
        )
        rate = ops.broadcast_to(self.mean, shape) * drawn / bounded
        return sample_poisson(rate, seed)
