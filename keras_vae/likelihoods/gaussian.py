"""Likelihoods of real numbers."""

import math

import keras

from keras_vae.distributions import DiagonalGaussian
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import check_positive
from keras_vae.likelihoods.likelihood import split_parameters


@keras.saving.register_keras_serializable(package="keras_vae")
class GaussianLikelihood(Likelihood):
    """p(x|z) = N(x; mean, sigma^2 I) with one fixed sigma.

    `sigma` is where the scale of the data belongs: a weight on the KL term is beta, not a scale.
    With sigma = sqrt(1/2) the reconstruction term is the squared error plus a constant.

    Args:
        sigma: positive float.

    Input shape: (B, S) means. Returns: `DiagonalGaussian` over (B, S).
    """

    def __init__(self, sigma=1.0, **kwargs):
        super().__init__(**kwargs)
        self.sigma = check_positive("sigma", sigma)

    def call(self, parameters):
        return DiagonalGaussian(parameters, 2 * math.log(self.sigma))

    def get_config(self):
        return {**super().get_config(), "sigma": self.sigma}


@keras.saving.register_keras_serializable(package="keras_vae")
class LearnedSigmaGaussianLikelihood(Likelihood):
    """p(x|z) = N(x; mean, sigma^2 I) with one sigma, learned with the networks.

    Args:
        initial_sigma: positive float, where learning starts.

    Input shape: (B, S) means. Returns: `DiagonalGaussian` over (B, S).

    Reference: Rybkin, Daniilidis, Levine 2021, "Simple and Effective VAE Training with
    Calibrated Decoders", section 4.
    """

    def __init__(self, initial_sigma=1.0, **kwargs):
        super().__init__(**kwargs)
        self.initial_sigma = check_positive("initial_sigma", initial_sigma)

    def build(self, input_shape):
        self.log_sigma = self.add_weight(
            name="log_sigma",
            shape=(),
            initializer=keras.initializers.Constant(math.log(self.initial_sigma)),
            autocast=False,
        )

    def call(self, parameters):
        return DiagonalGaussian(parameters, 2 * self.log_sigma)

    def get_config(self):
        return {**super().get_config(), "initial_sigma": self.initial_sigma}


@keras.saving.register_keras_serializable(package="keras_vae")
class PerPixelGaussianLikelihood(Likelihood):
    """p(x|z) = prod_i N(x_i; mean_i, sigma_i^2), the decoder giving means and log-variances.

    Input shape: (B, ..., 2C), means then log-variances. Returns: `DiagonalGaussian` over
    (B, ..., C).
    """

    num_parameters = 2

    def call(self, parameters):
        mean, log_var = split_parameters(parameters)
        return DiagonalGaussian(mean, log_var)
