"""Likelihoods of black-and-white data."""

import keras
import numpy as np
from keras import ops

from keras_vae.distributions import Bernoulli
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import refuse_outside_support


@keras.saving.register_keras_serializable(package="keras_vae")
class BernoulliLikelihood(Likelihood):
    """p(x|z) = prod_i Bernoulli(x_i; sigmoid(l_i)), with the decoder's output as logits l.

    The decoder must end without an activation. Grey values in [0, 1] are accepted and give the
    cross-entropy, which is not the likelihood of any data: binarise to get nats that compare
    with published ones.

    Input shape: (B, S) logits. Returns: `Bernoulli` over (B, S).
    """

    is_density = False
    spread_of_draws = 8.0  # 5.1 on MNIST

    def call(self, parameters):
        return Bernoulli(parameters)

    def output_for_mean(self, mean):
        # A pixel that is never lit would start at minus infinity.
        mean = np.clip(mean, 1e-3, 1 - 1e-3)
        return np.log(mean) - np.log1p(-mean)

    def check(self, x, name="x"):
        refuse_outside_support(
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
