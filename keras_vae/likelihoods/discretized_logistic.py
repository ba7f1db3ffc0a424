"""The likelihood of 8-bit data."""

import math
from typing import Any

import keras
import numpy as np

from keras_vae.checks import check_count
from keras_vae.distributions import DiscretizedLogistic
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import check_scale
from keras_vae.likelihoods.likelihood import refuse_outside_support
from keras_vae.likelihoods.likelihood import split_parameters
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class DiscretizedLogisticLikelihood(Likelihood):
    """p(x|z) = prod_i P_i, where P_i is the mass of a logistic density in the bin of x_i.

    It is the probability of 8-bit data, not a density.

    Args:
        num_bins: Integer of at least 2, the number of levels; x holds levels k / (num_bins - 1) in
            [0, 1].
        initial_scale: Float from 1e-8 to 1e8, the scale for a decoder output of 0.

    Input shape: (B, ..., 2C), locations then log-scales.
    Returns: `DiscretizedLogistic` over (B, ..., C).

    Raises:
        ValueError: If `num_bins` or `initial_scale` is not such a number.

    Reference:
        - [Kingma et al., 2016](https://arxiv.org/abs/1606.04934), appendix
        - [Salimans et al., 2017](https://arxiv.org/abs/1701.05517), equation 2
    """

    num_parameters = 2
    is_density = False

    def __init__(self, num_bins: int = 256, initial_scale: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_bins = check_count("num_bins", num_bins, least=2)
        self.initial_scale = check_scale("initial_scale", initial_scale, 1e-8, 1e8)

    def call(self, parameters: Tensor) -> DiscretizedLogistic:
        mean, log_scale = split_parameters(parameters)
        return DiscretizedLogistic(mean, log_scale + math.log(self.initial_scale), self.num_bins)

    def rounded(self, x: np.ndarray) -> np.ndarray:
        return np.round(np.clip(x, 0, 1) * (self.num_bins - 1)) / (self.num_bins - 1)

    def check(self, x: np.ndarray, name: str = "x") -> None:
        level = np.asarray(x, "float64") * (self.num_bins - 1)
        off_grid = np.abs(level - np.round(level)) > self._rounding(x.dtype)
        refuse_outside_support(
            x,
            (x < 0) | (x > 1) | off_grid,
            name,
            f"levels k/{self.num_bins - 1} in [0, 1] (DiscretizedLogistic)",
            "8-bit images must be divided by 255, and must not be resized or jittered afterwards.",
        )

    def _rounding(self, dtype):
        """Returns how far a number of this type may lie from its level, in levels.

        In float32, 1e-2 is far above the rounding error of k / 255. In float16 the error is up to
        0.062, half of the spacing of numbers below 1. From 1/2 on, the level would be ambiguous.
        """
        if dtype.kind != "f":
            return 1e-2
        spacing = float(np.finfo(dtype).eps) / 2 * (self.num_bins - 1)
        return min(max(1e-2, spacing), 0.25)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "initial_scale": self.initial_scale,
        }
