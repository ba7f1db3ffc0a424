"""The importance-weighted autoencoder."""

import copy
import math

import keras
from keras import ops

from keras_vae.checks import check_count
from keras_vae.conditions import Condition
from keras_vae.distributions import Distribution
from keras_vae.likelihoods import Likelihood
from keras_vae.models.base.latent_variable_model import LatentVariableModel
from keras_vae.models.base.term import Term
from keras_vae.priors import Prior
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class IWAE(LatentVariableModel):
    """Importance-weighted autoencoder: maximises the K-sample bound

        log p(x) >= L_K = E[ log 1/K sum_k w_k ],   w_k = p(x, z_k) / q(z_k|x)    (equation 8)

    with z_1 ... z_K from q(z|x). L_1 is the ELBO, and L_K increases with K towards log p(x). The
    same bound evaluates every other model: `model.log_likelihood(x, num_samples=K)`.

    Args:
        encoder, decoder, likelihood, prior, condition: See `VAE`.
        num_samples: Integer, K. The paper uses 5 and 50.
        seed: Integer in [0, 2**31), or `None`. Determines all noise and the order of the batches.

    Terms, in nats per example: `nll_bound` = -L_K, an upper bound on -log p(x). The logs contain
    `loss`, `nll_bound` and, averaged over the K samples, `reconstruction`, `kl` and `elbo`: the
    bound L_1 of the same posterior, where higher is better.

    Raises:
        ValueError: If `num_samples` is not a positive integer, or if the encoder and the decoder do
            not fit each other.

    Example:

    ```python
    shape, latent_dim = (28, 28, 1), 50
    model = IWAE(MLPEncoder(shape, latent_dim), MLPDecoder(shape, latent_dim), num_samples=5)
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, epochs=10, validation_data=x_test)
    ```

    Reference:
        - [Burda et al., 2016](https://arxiv.org/abs/1509.00519)
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: Likelihood | None = None,
        prior: Prior | None = None,
        num_samples: int = 5,
        condition: Condition | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            encoder, decoder, likelihood, prior, condition=condition, seed=seed, **kwargs
        )
        self.num_samples = check_count("num_samples", num_samples)

    def objective(self) -> dict[str, Term]:
        return {
            "nll_bound": Term(evaluate=1.0),
            "reconstruction": Term(train=0.0),
            "kl": Term(train=0.0),
            "elbo": Term(train=0.0, direction="max"),
        }

    def terms(self, x: Tensor, c: Tensor = None, training: bool = False) -> dict[str, Tensor]:
        posterior = self.infer(x, c, training)
        z = posterior.sample(self.noise.stream(training), self.num_samples)  # (K, B, D)
        log_p_x = self.log_p_x(x, z, c, training)  # (K, B)
        return self.bound(posterior, z, log_p_x, self.prior_given(c).log_prob(z))

    def bound(
        self, posterior: Distribution, z: Tensor, log_p_x: Tensor, log_p_z: Tensor
    ) -> dict[str, Tensor]:
        """Returns the terms, given K draws z (K, B, D), log p(x|z) and log p(z), (K, B) each."""
        log_q = posterior.log_prob(z)
        reconstruction, kl = -ops.mean(log_p_x, axis=0), ops.mean(log_q - log_p_z, axis=0)
        return {
            "nll_bound": -log_mean_exp(log_p_x + log_p_z - log_q),
            "reconstruction": reconstruction,
            "kl": kl,
            "elbo": -(reconstruction + kl),
        }


@keras.saving.register_keras_serializable(package="keras_vae")
class DReGIWAE(IWAE):
    """`IWAE` whose encoder is trained with the doubly reparameterised gradient.

    With plain reparameterisation, the encoder's gradient of L_K becomes noisier, relative to its
    size, as K increases. The same gradient can be written as

        sum_k v_k^2  d log w_k / d z_k  d z_k / d phi,   v_k = w_k / sum_j w_j    (equation 8)

    where log w_k depends on the encoder's weights phi through z_k alone. Its estimate is unbiased
    and less noisy. Decoder and prior are trained on L_K as before.

    Args:
        encoder, decoder, likelihood, prior, condition, num_samples, seed: See `IWAE`. The prior
            must not share the encoder's weights, so it cannot be a `VampPrior`.

    Raises:
        ValueError: If the prior shares the encoder's weights, or as for `IWAE`.

    Reference:
        - [Tucker et al., 2019](https://arxiv.org/abs/1810.04152)
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: Likelihood | None = None,
        prior: Prior | None = None,
        num_samples: int = 5,
        condition: Condition | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        if prior is not None and prior.shares_encoder:
            raise ValueError(
                f"DReGIWAE cannot use a {type(prior).__name__}: its gradient assumes that the "
                "prior does not depend on the encoder. Use IWAE, or another prior."
            )
        super().__init__(
            encoder, decoder, likelihood, prior, num_samples, condition, seed, **kwargs
        )

    def objective(self) -> dict[str, Term]:
        surrogate = Term(group="encoder", metric=None)  # its value is 0
        return {**super().objective(), "dreg": surrogate}

    def bound(
        self, posterior: Distribution, z: Tensor, log_p_x: Tensor, log_p_z: Tensor
    ) -> dict[str, Tensor]:
        log_w = log_p_x + log_p_z - _without_gradient(posterior).log_prob(z)
        # Squared normalised weights (equation 8): doubly reparameterised, the score term is gone.
        weights = ops.stop_gradient(ops.softmax(log_w, axis=0))
        surrogate = -ops.sum(ops.square(weights) * log_w, axis=0)
        dreg = surrogate - ops.stop_gradient(surrogate)  # has a gradient, and the value 0
        return {**super().bound(posterior, z, log_p_x, log_p_z), "dreg": dreg}


def _without_gradient(gaussian):
    fixed = copy.copy(gaussian)
    fixed.mean, fixed.log_var = ops.stop_gradient(fixed.mean), ops.stop_gradient(fixed.log_var)
    return fixed


def log_mean_exp(log_w: Tensor) -> Tensor:
    """Returns log 1/K sum_k exp(log_w_k), (B,), for log_w (K, B)."""
    return ops.logsumexp(log_w, axis=0) - math.log(log_w.shape[0])
