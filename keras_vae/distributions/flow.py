"""Distribution of noise transformed by an invertible map."""

from collections.abc import Callable

from keras_vae.distributions.base import Distribution
from keras_vae.distributions.base import as_float32
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class Flow(Distribution):
    """Distribution of `z = f^-1(e)`, where `e` is drawn from `base` and `f` is invertible.

    `log p(z) = log base(f(z)) + log |det df/dz|`, equation (3) of Dinh et al.

    The mean and the mode have no closed form: average or compare draws instead.

    Args:
        base: `Distribution` of the noise, in the shape of z.
        to_noise: Function f, from z `(..., *event)` to `(e, log |det df/dz|)` of shapes
            `(..., *event)` and `(...)`.
        from_noise: Function f^-1, from e to z.

    Example:

    >>> base = DiagonalGaussian(np.zeros(2), 0.0, batch_ndims=0)
    >>> # z = 3 e, so that log p(z) = log N(z / 3; 0, I) - 2 log 3
    >>> flow = Flow(base, lambda z: (z / 3, -2 * np.log(3.0)), lambda e: 3 * e)
    >>> flow.log_prob(z)  # (B, 2) -> (B,) nats

    Reference:
        - [Dinh et al., 2017](https://arxiv.org/abs/1605.08803)
    """

    def __init__(
        self,
        base: Distribution,
        to_noise: Callable[[Tensor], tuple[Tensor, Tensor]],
        from_noise: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__(base.shape, base.batch_ndims)
        self.base = base
        self.to_noise = to_noise
        self.from_noise = from_noise

    @property
    def mean(self) -> Tensor:
        """Not available, as it has no closed form."""
        raise NotImplementedError(
            "The mean of a Flow has no closed form. Average draws: "
            "`ops.mean(flow.sample(seed, num_samples=1000), axis=0)`."
        )

    @property
    def mode(self) -> Tensor:
        """Not available, as it has no closed form."""
        raise NotImplementedError(
            "The mode of a Flow has no closed form. Take the likeliest of many draws, "
            "by `flow.log_prob(flow.sample(seed, num_samples=1000))`."
        )

    def log_prob(self, x: Tensor) -> Tensor:
        x = as_float32(x)
        self._check_event(x)
        noise, log_det = self.to_noise(x)
        return self.base.log_prob(noise) + log_det

    def sample(self, seed: Seed = None, num_samples: int | None = None) -> Tensor:
        """Draws noise from the base and maps it to z; differentiable in the map."""
        return self.from_noise(self.base.sample(seed, num_samples))
