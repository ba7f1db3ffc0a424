"""The prior p(z) = N(0, I)."""

import keras

from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import StandardGaussian
from keras_vae.priors.prior import Prior
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class StandardNormal(Prior):
    """p(z) = N(0, I), without parameters.

    Example:

    ```python
    prior = StandardNormal()
    prior.build((2,))
    z = prior().sample(seed=0, num_samples=16)  # (16, 2)
    ```
    """

    distribution_class = DiagonalGaussian

    def call(self, condition: Tensor | None = None) -> DiagonalGaussian:
        return StandardGaussian(self.latent_shape)
