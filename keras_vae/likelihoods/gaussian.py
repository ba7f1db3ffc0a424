"""Likelihoods of real numbers."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.distributions import DiagonalGaussian
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import check_range
from keras_vae.likelihoods.likelihood import check_scale
from keras_vae.likelihoods.likelihood import refuse_outside_support
from keras_vae.likelihoods.likelihood import split_parameters
from keras_vae.likelihoods.likelihood import warn_of_bytes
from keras_vae.typing import Shape
from keras_vae.typing import Tensor

LARGEST_LEARNED_SIGMA = math.exp(10)  # with the largest log-variance that is not clipped


@keras.saving.register_keras_serializable(package="keras_vae")
class GaussianLikelihood(Likelihood):
    """p(x|z) = N(x; mean, sigma^2 I) with one fixed sigma.

    Account for the scale of the data with `sigma`, not with a weight on the KL term, which is beta.
    With sigma = sqrt(1/2) the reconstruction term is the squared error plus a constant.

    Args:
        sigma: Float from 1e-15 to 1e15, beyond which squares leave the range of float32.
        value_range: Pair of numbers, the lowest and the highest value that data may have, or
            `None`. Data outside the range are refused, and `pictures` are clipped to it. It does
            not affect the density.

    Input shape: Means (B, *S).
    Returns: `DiagonalGaussian` over (B, *S).

    Raises:
        ValueError: If `sigma` is not such a number, or `value_range` is not such a pair.
    """

    def __init__(
        self, sigma: float = 1.0, value_range: Sequence[float] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.sigma = check_scale("sigma", sigma, 1e-15, 1e15)
        self.value_range = None if value_range is None else check_range("value_range", value_range)

    def call(self, parameters: Tensor) -> DiagonalGaussian:
        return DiagonalGaussian(parameters, 2 * math.log(self.sigma))

    def check(self, x: np.ndarray, name: str = "x") -> None:
        if self.value_range is None:
            return
        low, high = self.value_range
        # Scaling in float32 may round values beyond the ends.
        margin = 1e-6 * (high - low)
        if np.min(x) < low - margin or np.max(x) > high + margin:
            scale = "x / 255" if low == 0 else f"{low:g} + x * {high - low:g} / 255"
            refuse_outside_support(
                x,
                (x < low - margin) | (x > high + margin),
                name,
                f"values in [{low:g}, {high:g}], the `value_range` of this GaussianLikelihood",
                f"8-bit images become such values by {scale}.",
            )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sigma": self.sigma, "value_range": self.value_range}


@keras.saving.register_keras_serializable(package="keras_vae")
class LearnedSigmaGaussianLikelihood(Likelihood):
    """p(x|z) = N(x; mean, sigma^2 I) with one sigma, learned together with the networks.

    Args:
        initial_sigma: Float from e^-10 to e^10, sigma before training. Beyond that range sigma is
            bounded, so that it cannot explode.

    Input shape: Means (B, *S).
    Returns: `DiagonalGaussian` over (B, *S).

    Raises:
        ValueError: If `initial_sigma` is not such a number.

    Reference:
        - [Rybkin et al., 2021](https://arxiv.org/abs/2006.13202), section 4
    """

    def __init__(self, initial_sigma: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial_sigma = check_scale(
            "initial_sigma", initial_sigma, 1 / LARGEST_LEARNED_SIGMA, LARGEST_LEARNED_SIGMA
        )

    def build(self, input_shape: Shape) -> None:
        self.log_sigma = self.add_weight(
            name="log_sigma",
            shape=(),
            initializer=keras.initializers.Constant(math.log(self.initial_sigma)),
            autocast=False,
        )

    def call(self, parameters: Tensor) -> DiagonalGaussian:
        return DiagonalGaussian(parameters, 2 * self.log_sigma)

    def advise(self, x: np.ndarray, name: str = "x") -> None:
        # The sigma of the density, which is bounded, unlike the weight.
        sigma = float(ops.convert_to_numpy(self.call(ops.zeros((1,))).std))
        cure = f", or begin at `initial_sigma={np.std(x[:1000]):.3g}`, their standard deviation"
        warn_of_bytes(x, sigma, name, cure)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initial_sigma": self.initial_sigma}


@keras.saving.register_keras_serializable(package="keras_vae")
class PerPixelGaussianLikelihood(Likelihood):
    """p(x|z) = prod_i N(x_i; mean_i, sigma_i^2), where the decoder returns all means and variances.

    Input shape: (B, ..., 2C), means then log-variances.
    Returns: `DiagonalGaussian` over (B, ..., C).
    """

    num_parameters = 2

    def call(self, parameters: Tensor) -> DiagonalGaussian:
        mean, log_var = split_parameters(parameters)
        return DiagonalGaussian(mean, log_var)

    def advise(self, x: np.ndarray, name: str = "x") -> None:
        warn_of_bytes(x, 1.0, name, "")
