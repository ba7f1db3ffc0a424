"""A mixture of Gaussians as a prior, learned with the model or fitted to its latents."""

import math

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Mixture
from keras_vae.priors.expectation_maximization import fit_mixture
from keras_vae.priors.prior import Prior


@keras.saving.register_keras_serializable(package="keras_vae")
class GaussianMixture(Prior):
    """p(z) = sum_k softmax(logits)_k N(z; mean_k, diag(exp(log_var_k))).

    In a model it is learned by gradients like any weight. To the latents of a model that is
    trained already it is fitted by expectation-maximisation: sampling from it instead of N(0, I)
    avoids the regions of z that no data reach.

    Its components start with equal weights and variance 1, their means as noise around 0.

    Args:
        num_components: K.
        initial_std: standard deviation of the means at the start.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Returns: `Mixture` over latent_shape, without a batch axis.

    Raises:
        ValueError: an argument is not as above.

    Example:

    ```python
    prior = GaussianMixture(50)
    prior.fit(model.encode(x).sample(seed=0))
    model = VAE(model.encoder, model.decoder, model.likelihood, prior=prior)
    ```

    Reference:
        Dempster, Laird, Rubin 1977, "Maximum Likelihood from Incomplete Data via the EM
        Algorithm"; Ghosh et al. 2020, "From Variational to Deterministic Autoencoders", for
        fitting it to a trained model's latents.
    """

    distribution_class = Mixture

    def __init__(self, num_components, initial_std=1.0, **kwargs):
        super().__init__(**kwargs)
        if not initial_std > 0:
            raise ValueError(
                "`initial_std` must be positive: components that start alike stay alike. "
                f"Received: {initial_std!r}."
            )
        self.num_components = check_count("num_components", num_components)
        self.initial_std = initial_std

    def build(self, latent_shape, condition_shape=None):
        super().build(latent_shape)
        shape = (self.num_components, *self.latent_shape)
        means = keras.initializers.RandomNormal(stddev=self.initial_std)
        self.logits = self.add_weight(name="logits", shape=shape[:1], initializer="zeros")
        self.means = self.add_weight(name="means", shape=shape, initializer=means)
        self.log_vars = self.add_weight(name="log_vars", shape=shape, initializer="zeros")

    def call(self, condition=None):
        components = DiagonalGaussian(self.means, self.log_vars)  # (K, D)
        return Mixture(self.logits, components, batch_ndims=0)

    def fit(self, z, num_iterations=100, seed=0):
        """Fits the mixture to latents by expectation-maximisation.

        It starts from means drawn far from each other (k-means++) and stops early once an
        iteration gains less than 1e-4 nats per latent. It runs in float64 NumPy, whatever the
        backend. No variance falls below a thousandth of that of z in its dimension.

        Args:
            z: array or tensor (N, *latent_shape), at least K latents: draws from q(z|x), or means.
            num_iterations: int, the most updates made.
            seed: int, for the start.

        Returns:
            List of the mean log-likelihoods of z in nats, at the start and after each update.
            It never falls.

        Raises:
            ValueError: fewer latents than components, another shape, or values that are not
                finite.
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

    def _check_latents(self, z):
        shape = self.latent_shape if self.built else z.shape[1:]
        few = z.ndim < 2 or len(z) < self.num_components
        if few or z.shape[1:] != shape or not np.isfinite(z).all():
            raise ValueError(
                f"`z` must hold finite latents, at least one for each of the "
                f"{self.num_components} components. Expected: shape "
                f"{('N', *shape) if self.built else '(N, D)'}. Received: shape {z.shape}"
                f"{'' if np.isfinite(z).all() else ', with values that are not finite'}."
            )

    def get_config(self):
        return {
            **super().get_config(),
            "num_components": self.num_components,
            "initial_std": self.initial_std,
        }
