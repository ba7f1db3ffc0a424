"""Likelihoods of real numbers in which an outlier costs less than in a Gaussian."""

from typing import Any

import keras

from keras_vae.distributions import Laplace
from keras_vae.distributions import StudentT
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import check_positive
from keras_vae.likelihoods.likelihood import split_parameters
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class StudentTLikelihood(Likelihood):
    """p(x|z) = prod_i StudentT(x_i; location_i, scale_i), with fixed degrees of freedom.

    Args:
        degrees_of_freedom: Positive float. Small values allow more outliers.

    Input shape: (B, ..., 2C), locations then log-scales.
    Returns: `StudentT` over (B, ..., C).

    Raises:
        ValueError: If `degrees_of_freedom` is not a finite positive number.
    """

    num_parameters = 2

    def __init__(self, degrees_of_freedom: float = 4.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.degrees_of_freedom = check_positive("degrees_of_freedom", degrees_of_freedom)

    def call(self, parameters: Tensor) -> StudentT:
        location, log_scale = split_parameters(parameters)
        return StudentT(location, log_scale, self.degrees_of_freedom)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "degrees_of_freedom": self.degrees_of_freedom}


@keras.saving.register_keras_serializable(package="keras_vae")
class LaplaceLikelihood(Likelihood):
    """p(x|z) = prod_i Laplace(x_i; location_i, scale_i): the absolute error, with a scale.

    Input shape: (B, ..., 2C), locations then log-scales.
    Returns: `Laplace` over (B, ..., C).
    """

    num_parameters = 2

    def call(self, parameters: Tensor) -> Laplace:
        return Laplace(*split_parameters(parameters))
