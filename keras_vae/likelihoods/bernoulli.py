"""Likelihoods of black-and-white data."""

import keras
import numpy as np
from keras import ops

from keras_vae.distributions import Bernoulli
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import refuse_outside_support
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class BernoulliLikelihood(Likelihood):
    """p(x|z) = prod_i Bernoulli(x_i; sigmoid(l_i)), where the decoder's outputs are the logits l.

    The decoder must end without an activation. Grey values in [0, 1] are accepted, but they give
    the cross-entropy, which is not a log-likelihood: binarise the data to get nats that compare
    with published results.

    Input shape: Logits (B, *S).
    Returns: `Bernoulli` over (B, *S).
    """

    is_density = False
    spread_of_draws = 8.0  # 5.1 on MNIST

    def call(self, parameters: Tensor) -> Bernoulli:
        return Bernoulli(parameters)

    def output_for_mean(self, mean: np.ndarray) -> np.ndarray:
        # Unclipped, the logit of a pixel that is never lit would be minus infinity.
        mean = np.clip(mean, 1e-3, 1 - 1e-3)
        return np.log(mean) - np.log1p(-mean)

    def is_nominal(self, data_shape: Shape) -> np.ndarray:
        return np.ones(data_shape, "bool")

    def check(self, x: np.ndarray, name: str = "x") -> None:
        if x.size and x.min() >= 0 and x.max() <= 1:  # faster than locating bad values
            return
        refuse_outside_support(
            x,
            (x < 0) | (x > 1),
            name,
            "values in [0, 1] (Bernoulli)",
            "8-bit images must be divided by 255, and standardised data need a Gaussian "
            "likelihood.",
        )


@keras.saving.register_keras_serializable(package="keras_vae")
class BernoulliProbabilityLikelihood(BernoulliLikelihood):
    """The Bernoulli likelihood for a decoder that ends in a sigmoid.

    It is for decoders that cannot be changed, such as that of the well-known Keras example, and
    converts the probabilities back to logits. Probabilities are clipped to [1e-7, 1 - 1e-7], so a
    pixel costs at most 16.1 nats, and its gradient is 0 where it is clipped. `BernoulliLikelihood`,
    with a decoder that returns logits, has no such limit.

    Input shape: Probabilities (B, *S).
    Returns: `Bernoulli` over (B, *S).
    """

    def call(self, parameters: Tensor) -> Bernoulli:
        # 1e-7 is about the spacing of float32 below 1; closer to 1 the logit would be infinite.
        p = ops.clip(parameters, 1e-7, 1 - 1e-7)
        return Bernoulli(ops.log(p) - ops.log1p(-p))

    def output_for_mean(self, mean: np.ndarray) -> np.ndarray:
        return mean
