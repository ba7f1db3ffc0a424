"""The likelihood of positive numbers."""

import keras
import numpy as np

from keras_vae.distributions import LogNormal
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import refuse_outside_support
from keras_vae.likelihoods.likelihood import split_parameters
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class LogNormalLikelihood(Likelihood):
    """p(x|z) = prod_i LogNormal(x_i; mean_i, variance_i of log x_i).

    Input shape: (B, ..., 2C), means then log-variances of log x.
    Returns: `LogNormal` over (B, ..., C).
    """

    num_parameters = 2

    def call(self, parameters: Tensor) -> LogNormal:
        return LogNormal(*split_parameters(parameters))

    def output_for_mean(self, mean: np.ndarray) -> np.ndarray:
        return np.log(np.maximum(mean, 1e-30)) - 0.5  # the variance begins at 1

    def check(self, x: np.ndarray, name: str = "x") -> None:
        refuse_outside_support(
            x,
            ~(x > 0),
            name,
            "numbers greater than 0 (LogNormal)",
            "Amounts that can be 0 need another likelihood.",
        )
