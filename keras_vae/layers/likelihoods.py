"""Likelihood layers: from what a decoder returns to p(x|z).

A likelihood is the one place that knows what data look like: it checks them (`check`), says how
many numbers the decoder owes per element (`num_parameters`), and returns the distribution. All of
them compute in float32 under every dtype policy.
"""

import math

import keras
import numpy as np
from keras import ops

from keras_vae.distributions import Bernoulli
from keras_vae.distributions import Categorical
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import DiscretizedLogistic


class Likelihood(keras.layers.Layer):
    """Base class: a layer whose call returns the distribution p(x|z).

    Attributes:
        num_parameters: how many decoder outputs belong to each element of x. With more than one,
            they lie in blocks along the last axis (all means, then all log-scales).
    """

    num_parameters = 1

    def __init__(self, **kwargs):
        kwargs.setdefault("dtype", "float32")  # log-densities never in half precision
        super().__init__(**kwargs)

    def call(self, parameters):
        """Returns p(x|z) for the decoder's output `parameters`."""
        raise NotImplementedError

    def check(self, x, name="x"):
        """Raises `ValueError` where the NumPy array `x` lies outside the support."""

    def output_for_mean(self, mean):
        """Returns the decoder output whose likelihood has this mean, for a NumPy array of means.

        It is where a decoder's output bias starts when training begins at the mean of the data.
        """
        return mean

    def data_shape(self, parameters_shape):
        """Returns the shape of x, without the batch axis, that decoder outputs of this shape
        (also without it) describe."""
        *spatial, last = parameters_shape
        if last % self.num_parameters:
            raise ValueError(
                f"{type(self).__name__} needs {self.num_parameters} decoder outputs per element, "
                f"so the decoder's last axis must be a multiple of {self.num_parameters}. It is "
                f"{last}. Build the decoder with `num_parameters={self.num_parameters}`."
            )
        return (*spatial, last // self.num_parameters)


def _refuse(x, bad, name, expected, cause):
    """Raises the error that names the first element of `x` where `bad` is true."""
    if not np.any(bad):
        return
    first = tuple(int(i) for i in np.unravel_index(np.argmax(bad), bad.shape))
    raise ValueError(
        f"`{name}` holds values that the likelihood cannot have produced. Expected: {expected}. "
        f"Received: shape {x.shape}, dtype {x.dtype}, values from {x.min():g} to {x.max():g}; the "
        f"first bad one is {x[first]:g} at index {first}. {cause}"
    )


def _split(parameters):
    return ops.split(parameters, 2, axis=-1)


@keras.saving.register_keras_serializable(package="keras_vae")
class BernoulliLikelihood(Likelihood):
    """p(x|z) = prod_i Bernoulli(x_i; sigmoid(l_i)), with the decoder's output as logits l.

    The decoder must end without an activation. Grey values in [0, 1] are accepted and give the
    cross-entropy, which is not the likelihood of any data: binarise to get nats that compare
    with published ones.

    Input shape: (B, S) logits. Returns: `Bernoulli` over (B, S).
    """

    def call(self, parameters):
        return Bernoulli(parameters)

    def output_for_mean(self, mean):
        # A pixel that is never lit would start at minus infinity.
        mean = np.clip(mean, 1e-3, 1 - 1e-3)
        return np.log(mean) - np.log1p(-mean)

    def check(self, x, name="x"):
        _refuse(
            x,
            (x < 0) | (x > 1),
            name,
            "values in [0, 1] (Bernoulli)",
            "8-bit pictures must be divided by 255, and standardised data need a Gaussian "
            "likelihood.",
        )


@keras.saving.register_keras_serializable(package="keras_vae")
class BernoulliProbabilityLikelihood(BernoulliLikelihood):
    """The Bernoulli likelihood for a decoder that ends in a sigmoid.

    For decoders that cannot be changed, such as that of the well-known Keras example: the
    probability is turned back into its logit. Probabilities are kept in [1e-7, 1 - 1e-7], so a
    pixel never costs more than 16.1 nats and its gradient vanishes beyond. A decoder that
    returns logits, with `BernoulliLikelihood`, has no such limit.

    Input shape: (B, S) probabilities. Returns: `Bernoulli` over (B, S).
    """

    def call(self, parameters):
        p = ops.clip(parameters, 1e-7, 1 - 1e-7)
        return Bernoulli(ops.log(p) - ops.log1p(-p))

    def output_for_mean(self, mean):
        return mean


@keras.saving.register_keras_serializable(package="keras_vae")
class CategoricalLikelihood(Likelihood):
    """p(x|z) = prod_i Categorical(x_i; softmax(l_i)) over integer data.

    Args:
        num_classes: int, C. The decoder's last axis holds the C logits of each element.

    Input shape: (B, S, C) logits. Returns: `Categorical` over (B, S).
    """

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes

    def call(self, parameters):
        return Categorical(parameters)

    def data_shape(self, parameters_shape):
        if parameters_shape[-1] != self.num_classes:
            raise ValueError(
                f"CategoricalLikelihood(num_classes={self.num_classes}) needs a decoder whose "
                f"last axis holds {self.num_classes} logits; it has {parameters_shape[-1]}."
            )
        return tuple(parameters_shape[:-1])

    def check(self, x, name="x"):
        _refuse(
            x,
            (x < 0) | (x >= self.num_classes) | (x != np.floor(x)),
            name,
            f"integers from 0 to {self.num_classes - 1} (Categorical)",
            "Grey levels must be integers here, not scaled to [0, 1].",
        )

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


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
        self.sigma = _check_positive("sigma", sigma)

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
        self.initial_sigma = _check_positive("initial_sigma", initial_sigma)

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
        mean, log_var = _split(parameters)
        return DiagonalGaussian(mean, log_var)


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

    def __init__(self, num_bins=256, initial_scale=0.1, **kwargs):
        super().__init__(**kwargs)
        self.num_bins = num_bins
        self.initial_scale = _check_positive("initial_scale", initial_scale)

    def call(self, parameters):
        mean, log_scale = _split(parameters)
        return DiscretizedLogistic(mean, log_scale + math.log(self.initial_scale), self.num_bins)

    def check(self, x, name="x"):
        level = np.asarray(x, "float64") * (self.num_bins - 1)
        off_grid = np.abs(level - np.round(level)) > 1e-2
        _refuse(
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


def _check_positive(name, value):
    if not value > 0 or not math.isfinite(value):
        raise ValueError(f"`{name}` must be a positive number. Received: {value!r}.")
    return float(value)
