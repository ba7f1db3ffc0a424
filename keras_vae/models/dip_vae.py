"""DIP-VAE: the covariance of the codes of all data is drawn to that of the prior."""

import keras
from keras import ops

from keras_vae.checks import check_choice
from keras_vae.models.base.term import Term
from keras_vae.models.vae import VAE
from keras_vae.priors import StandardNormal
from keras_vae.schedules import Schedule
from keras_vae.schedules import check_weight
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class DIPVAE(VAE):
    """VAE with a disentangled inferred prior: the codes of all data have the prior's covariance, I:

        ELBO - off_diagonal_weight * sum_{i != j} C_ij^2 - diagonal_weight * sum_i (C_ii - 1)^2

    C is the covariance over the batch of z_mean (DIP-VAE-I, equation 6), or of draws of q(z|x),
    which adds the mean of the posterior variances to the diagonal (DIP-VAE-II, equation 7). It is
    computed from the moments of the batch, divided by B, without noise.

    Args:
        encoder, decoder: as for `VAE`.
        off_diagonal_weight: number, or schedule of the updates made: the paper's lambda_od.
        diagonal_weight: the same: lambda_d. In the paper 10 times lambda_od for DIP-VAE-I, where
            it keeps z_mean from shrinking, and equal to it for DIP-VAE-II.
        covariance_of: "mean", DIP-VAE-I, or "z", DIP-VAE-II.
        **kwargs: `likelihood`, `kl_weight`, `condition`, `seed` and others of `VAE`.

    Terms, nats per example: those of `VAE`. Scalars of the batch, which `sample_weight` does not
    weigh: `off_diagonal` and `diagonal`, the two sums, without a unit until weighted. Logs: `loss`
    and these. Validation reports the plain bound as its `loss`.

    Raises:
        ValueError: If `covariance_of` is unknown, a weight is negative, or the prior is not
            `StandardNormal`, the one with covariance I.

    Example:

    ```python
    shape, latent_dim = (28, 28, 1), 10
    networks = MLPEncoder(shape, latent_dim), MLPDecoder(shape, latent_dim)
    model = DIPVAE(*networks, off_diagonal_weight=10.0, diagonal_weight=100.0)
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, batch_size=256, epochs=50, validation_data=x_test)
    ```

    Reference: [Kumar, Sattigeri, Balakrishnan 2018](https://arxiv.org/abs/1711.00848),
    "Variational Inference of Disentangled Latent Concepts from Unlabeled Observations".
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        off_diagonal_weight: float | Schedule = 10.0,
        diagonal_weight: float | Schedule = 100.0,
        covariance_of: str = "mean",
        **kwargs,
    ):
        super().__init__(encoder, decoder, **kwargs)
        self.off_diagonal_weight = check_weight("off_diagonal_weight", off_diagonal_weight)
        self.diagonal_weight = check_weight("diagonal_weight", diagonal_weight)
        self.covariance_of = check_choice("covariance_of", covariance_of, ("mean", "z"))
        if not isinstance(self.prior, StandardNormal):
            raise ValueError(
                f"`prior` of {type(self).__name__} must be StandardNormal, whose covariance is I. "
                f"Received: {type(self.prior).__name__}. InfoVAE takes any prior."
            )

    def objective(self) -> dict[str, Term]:
        return {
            **super().objective(),
            "off_diagonal": Term(train=self.off_diagonal_weight),
            "diagonal": Term(train=self.diagonal_weight),
        }

    def terms(self, x: Tensor, c: Tensor = None, training: bool = False) -> dict[str, Tensor]:
        posterior = self.infer(x, c, training)
        z = posterior.sample(self.noise.stream(training))
        covariance = covariance_of_rows(posterior.mean)  # (D, D)
        variance = ops.diagonal(covariance)
        if self.covariance_of == "z":
            variance = variance + ops.mean(ops.exp(posterior.log_var), axis=0)
        off_diagonal = covariance * (1.0 - ops.eye(z.shape[-1]))
        return {
            **self.bound(x, posterior, z, c, training),
            "off_diagonal": ops.sum(ops.square(off_diagonal)),
            "diagonal": ops.sum(ops.square(variance - 1.0)),
        }


def covariance_of_rows(rows: Tensor) -> Tensor:
    """Returns the covariance (D, D) of the rows of a tensor (B, D), divided by B."""
    centred = rows - ops.mean(rows, axis=0)
    # No matrix product, which JAX and TensorFlow round to TF32 on a GPU.
    return ops.mean(centred[:, :, None] * centred[:, None, :], axis=0)
