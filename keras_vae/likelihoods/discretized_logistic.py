"""The likelihood of 8-bit data."""

import math

import keras
import numpy as np

from keras_vae.distributions import DiscretizedLogistic
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import check_positive
from keras_vae.likelihoods.likelihood import refuse_outside_support
from keras_vae.likelihoods.likelihood import split_parameters


@keras.saving.register_keras_serializable(package="keras_vae")
class DiscretizedLogisticLikelihood(Likelihood):
    """p(x|z) = prod_i of the mass a logistic density puts on the bin of x_i: exact for 8-bit data.

    Args:
        num_bins: int, the number of levels; x lies on the grid k / (num_bins - 1) in [0, 1].
        initial_scale: positive float, the scale that a decoder output of 0 stands for.

    Input shape: (B, ..., 2C), locations then log-scales. Returns: `DiscretizedLogistic` over
    (B, ..., C).

    Reference: Kingma et al. 2016, "Improving Variational Inference with Inverse Autoregressive
    Flow", appendix; Salimans et al. 2017 (PixelCNN++), equation 2.
    """

    num_parameters = 2
    is_density = False

    def __init__(self, num_bins=256, initial_scale=0.1, **kwargs):
        super().__init__(**kwargs)
        self.num_bins = num_bins
        self.initial_scale = check_positive("initial_scale", initial_scale)

    def call(self, parameters):
        mean, log_scale = split_parameters(parameters)
        return DiscretizedLogistic(mean, log_scale + math.log(self.initial_scale), self.num_bins)

    def check(self, x, name="x"):
        level = np.asarray(x, "float64") * (self.num_bins - 1)
        off_grid = np.abs(level - np.round(level)) > 1e-2
        refuse_outside_support(
            x,
            (x < 0) | (x > 1) | off_grid,
            name,
            f"levels k/{self.num_bins - 1} in [0, 1] (DiscretizedLogistic)",
            "Pictures of 8 bits must be divided by 255 and not be resized or jittered after that.",
        )

    def get_config(self):
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "initial_scale": self.initial_scale,
        }
