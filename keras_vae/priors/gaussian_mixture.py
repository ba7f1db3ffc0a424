"""A mixture of Gaussians as a prior, learned with the model or fitted to its latents."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Mixture
from keras_vae.priors.expectation_maximization import fit_mixture
from keras_vae.priors.prior import Prior
from keras_vae.typing import Array
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class GaussianMixture(Prior):
    """p(z) = sum_k softmax(logits)_k N(z; mean_k, diag(exp(log_var_k))).

    As the prior of a model it is trained by gradient descent together with the networks. It can
    also be fitted to the latents of an already trained model, by expectation-maximisation:
    sampling from it instead of N(0, I) avoids regions of z that correspond to no data.

    Its components start with equal weights, variance 1 and normally distributed means.

    Args:
        num_components: Positive integer, the number of components K.
        initial_std: Positive float, the standard deviation of the initial means.
        **kwargs: Keyword arguments of every Keras layer, such as `name` and `trainable`.

    Returns: `Mixture` over latent_shape, without a batch axis.

    Raises:
        ValueError: If `num_components` is not a positive integer, or if `initial_std` is not
            positive.

    Example:

    ```python
    prior = GaussianMixture(50)
    prior.fit(model.encode(x).sample(seed=0))
    model = VAE(model.encoder, model.decoder, model.likelihood, prior=prior)
    ```

    Reference:
        - [Dempster et al., 1977](https://doi.org/10.1111/j.2517-6161.1977.tb01600.x)
        - [Ghosh et al., 2020](https://arxiv.org/abs/1903.12436), for fitting it to the latents of a
          trained model
    """

    distribution_class = Mixture

    def __init__(self, num_components: int, initial_std: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not initial_std > 0:
            raise ValueError(
                "`initial_std` must be positive: components that start alike stay alike. "
                f"Received: {initial_std!r}."
            )
        self.num_components = check_count("num_components", num_components)
        self.initial_std = initial_std

    def build(self, latent_shape: Shape, condition_shape: Shape | None = None) -> None:
        super().build(latent_shape)
        shape = (self.num_components, *self.latent_shape)
        means = keras.initializers.RandomNormal(stddev=self.initial_std)
        self.logits = self.add_weight(name="logits", shape=shape[:1], initializer="zeros")
        self.means = self.add_weight(name="means", shape=shape, initializer=means)
        self.log_vars = self.add_weight(name="log_vars", shape=shape, initializer="zeros")

    def call(self, condition: Tensor | None = None) -> Mixture:
        components = DiagonalGaussian(self.means, self.log_vars)  # (K, D)
        return Mixture(self.logits, components, batch_ndims=0)

    def fit(self, z: Array, num_iterations: int = 100, seed: int = 0) -> list[float]:
        """Fits the mixture to latents by expectation-maximisation.

        The initial means are latents far from one another (k-means++). The fit stops early once
        an update gains less than 1e-4 nats per latent. It runs in float64 NumPy on every backend.
        No variance falls below a thousandth of the variance of z in its dimension.

        Args:
            z: Array or tensor (N, *latent_shape) of at least K latents: draws from q(z|x), or
                posterior means.
            num_iterations: Integer, the maximum number of updates.
            seed: Integer, the seed of the initial means.

        Returns:
            List of the mean log-likelihoods of z in nats, at the start and after each update. They
            never decrease.

        Raises:
            ValueError: If there are fewer latents than components, or if `z` has another shape or
                values that are not finite.
        """
        z = np.asarray(ops.convert_to_numpy(z), "float64")
        self._check_latents(z)
        if not self.built:
            self.build(z.shape[1:])
        rows = z.reshape(len(z), math.prod(self.latent_shape))
        log_weights, means, variances, log_likelihoods = fit_mixture(
            rows, self.num_components, num_iterations, np.random.default_rng(seed)
        )
        self.logits.assign(log_weights)
        self.means.assign(means.reshape(self.means.shape))
        self.log_vars.assign(np.log(variances).reshape(self.log_vars.shape))
        return log_likelihoods

    def _check_latents(self, z: np.ndarray) -> None:
        shape = self.latent_shape if self.built else z.shape[1:]
        few = z.ndim < 2 or len(z) < self.num_components
        if few or z.shape[1:] != shape or not np.isfinite(z).all():
            raise ValueError(
                f"`z` must hold finite latents, at least one for each of the "
                f"{self.num_components} components. Expected: shape "
                f"{('N', *shape) if self.built else '(N, D)'}. Received: shape {z.shape}"
                f"{'' if np.isfinite(z).all() else ', with values that are not finite'}."
            )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_components": self.num_components,
            "initial_std": self.initial_std,
        }
