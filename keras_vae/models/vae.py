"""The variational autoencoder."""

import keras
from keras import ops

from keras_vae.conditions import Condition
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Distribution
from keras_vae.distributions import has_closed_form
from keras_vae.distributions import kl_divergence
from keras_vae.distributions import kl_per_dimension
from keras_vae.distributions.base import sum_last
from keras_vae.likelihoods import Likelihood
from keras_vae.models.base.latent_variable_model import LatentVariableModel
from keras_vae.models.base.term import Term
from keras_vae.priors import Prior
from keras_vae.priors import StandardNormal
from keras_vae.schedules import check_weight
from keras_vae.typing import Tensor
from keras_vae.typing import Weight


@keras.saving.register_keras_serializable(package="keras_vae")
class VAE(LatentVariableModel):
    """Variational autoencoder: maximises the evidence lower bound

        log p(x) >= ELBO = E_q(z|x)[log p(x|z)] - KL(q(z|x) || p(z))      (equation 3)

    with q(z|x) = N(z_mean, exp(z_log_var)) and one reparameterised sample of z (equation 10).

    The training loss is `reconstruction + kl_weight * kl`, plus the penalty of `free_bits`. With
    `capacity` it is `reconstruction + kl_weight * |kl - capacity|`. Validation always reports the
    plain bound: `val_loss` is `-val_elbo`.

    Args:
        encoder: `keras.Model` from x (B, S) to `(z_mean, z_log_var)`, each (B, D). Any further
            outputs, such as the z of the VAE in Keras' examples, are ignored.
        decoder: `keras.Model` from z (B, D) to the parameters of the likelihood.
        likelihood: `Likelihood`. By default Bernoulli: on the decoder's logits, or on its
            probabilities if its last layer is found to end in a sigmoid.
        prior: `Prior`. By default `StandardNormal()`.
        kl_weight: Number, or schedule over the updates made so far (`LinearAnnealing`,
            `CyclicAnnealing` or any of `keras.optimizers.schedules`). It is the beta of a
            beta-VAE; 1 gives the ELBO.
        free_bits: Number or schedule, in nats. The KL of a latent dimension, averaged over the
            batch, costs nothing until it exceeds this value (Kingma et al., 2016, equation 15).
        capacity: Number or schedule, in nats, or `None`. The KL that training aims for (Burgess
            et al., 2018, equation 8); `kl_weight` is then the gamma of that paper.
        condition: `Condition` of a conditional model; see `CVAE`.
        seed: Integer in [0, 2**31), or `None`. Determines all noise and the order of the batches.

    Terms, in nats per example: `reconstruction` = -log p(x|z); `kl` = KL(q(z|x) || p(z)), in closed
    form if there is one; `elbo` = -(reconstruction + kl), where higher is better; with `free_bits`
    what the KL of the dimensions below it lacks, in the mean over the batch; with `capacity`
    |kl - capacity|. The logs contain these terms and `loss`.

    Raises:
        ValueError: If the encoder and the decoder do not fit each other or the likelihood. Raised
            by `fit` if the data lie outside the support of the likelihood.

    Example:

    ```python
    shape, latent_dim = (28, 28, 1), 50
    model = VAE(MLPEncoder(shape, latent_dim), MLPDecoder(shape, latent_dim))
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, epochs=10, validation_data=x_test)
    pictures = model.sample(16, seed=0)
    nats = model.log_likelihood(x_test, num_samples=1000)
    ```

    Reference:
        - [Kingma and Welling, 2014](https://arxiv.org/abs/1312.6114)
        - [Higgins et al., 2017](https://openreview.net/forum?id=Sy2fzU9gl), for `kl_weight` as beta
        - [Kingma et al., 2016](https://arxiv.org/abs/1606.04934), for `free_bits`
        - [Burgess et al., 2018](https://arxiv.org/abs/1804.03599), for `capacity`
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: Likelihood | None = None,
        prior: Prior | None = None,
        kl_weight: Weight = 1.0,
        free_bits: Weight = 0.0,
        capacity: Weight | None = None,
        condition: Condition | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            encoder, decoder, likelihood, prior, condition=condition, seed=seed, **kwargs
        )
        self.kl_weight = check_weight("kl_weight", kl_weight)
        self.free_bits = check_weight("free_bits", free_bits)
        self.capacity = None if capacity is None else check_weight("capacity", capacity)

    def objective(self) -> dict[str, Term]:
        objective = {
            "reconstruction": Term(evaluate=1.0),
            "kl": Term(train=self.kl_weight, evaluate=1.0),
            "elbo": Term(train=0.0, direction="max"),
        }
        if self.free_bits:
            objective["free_bits"] = Term(train=self.kl_weight)
        if self.capacity is not None:
            objective["kl"] = Term(train=0.0, evaluate=1.0)
            objective["capacity"] = Term(train=self.kl_weight)
        return objective

    def terms(
        self, x: Tensor, c: Tensor = None, training: bool = False, target: Tensor = None
    ) -> dict[str, Tensor]:
        posterior = self.infer(x, c, training)
        z = posterior.sample(self.noise.stream(training))
        return self.bound(x if target is None else target, posterior, z, c, training)

    def bound(
        self,
        x: Tensor,
        posterior: Distribution,
        z: Tensor,
        c: Tensor = None,
        training: bool = False,
        likelihood: Distribution | None = None,
    ) -> dict[str, Tensor]:
        """Returns the terms of the bound, and those that modify it in training.

        For subclasses whose `terms` also use the posterior and its draw, so that both are computed
        only once.

        Args:
            x: (B, S).
            posterior: q(z|x, c), as `infer` returns it.
            z: (B, D), a draw from it.
            c: As `embedded` returns it.
            training: Bool.
            likelihood: p(x|z, c), as `generate` returns it, if it has been computed already.
        """
        prior = self.prior_given(c)
        if likelihood is None:
            likelihood = self.generate(z, c, training, like=x)
        reconstruction = -likelihood.log_prob(x)
        kl = kl_divergence(posterior, prior, sample=z)
        terms = {"reconstruction": reconstruction, "kl": kl, "elbo": -(reconstruction + kl)}
        if self.free_bits:
            terms["free_bits"] = self._free_bits(posterior, prior)
        if self.capacity is not None:
            terms["capacity"] = ops.abs(kl - self.at_this_step(self.capacity))
        return terms

    @classmethod
    def kl_is_exact(cls, prior: type | None = None) -> bool:
        drawn_from = (StandardNormal if prior is None else prior).distribution_class
        return drawn_from is not None and has_closed_form(DiagonalGaussian, drawn_from)

    def _free_bits(self, posterior, prior):
        """Returns lambda - KL_j of each example, (B,), summed over the dimensions in which the KL,
        averaged over the batch, is below lambda.

        max(lambda, KL_j) = KL_j + max(lambda - KL_j, 0), where KL_j is that average. As a cost of
        each example it is weighted by `sample_weight` just as the KL is, so that below lambda the
        two gradients cancel whatever the weights are.
        """
        if not isinstance(prior, DiagonalGaussian):
            raise ValueError(
                "`free_bits` needs the KL of each dimension, which only a Gaussian prior has. "
                f"Received: {type(self.prior).__name__}. Leave `free_bits` out, or use "
                "StandardNormal."
            )
        lacking = self.at_this_step(self.free_bits) - kl_per_dimension(posterior, prior)
        is_below = ops.cast(ops.mean(lacking, axis=0) > 0, lacking.dtype)
        return sum_last(lacking * is_below, posterior.event_ndims)
