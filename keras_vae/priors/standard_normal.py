"""The prior p(z) = N(0, I)."""

import keras

from keras_vae.distributions import StandardGaussian
from keras_vae.priors.prior import Prior
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class StandardNormal(Prior):
    """p(z) = N(0, I), without parameters.

    Latent maps (None, None, D) may have any height and width: `prior()` then gives the density of
    maps of any size, and `prior.over((h, w, D))` samples maps of one size.

    Example:

    ```python
    prior = StandardNormal()
    prior.build((2,))
    z = prior().sample(seed=0, num_samples=16)  # (16, 2)
    ```
    """

    distribution_class = StandardGaussian

    def call(self, condition: Tensor | None = None) -> StandardGaussian:
        return self.over(self.latent_shape)

    def over(self, latent_shape: Shape) -> StandardGaussian:
        """Returns N(0, I) over latents of this shape, for a model with latents of any size."""
        return StandardGaussian(latent_shape)
