"""DIP-VAE: the covariance of the codes of all data is pulled towards that of the prior."""

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
    """VAE with a disentangled inferred prior: the codes of all data get the prior's covariance, I:

        ELBO - off_diagonal_weight * sum_{i != j} C_ij^2 - diagonal_weight * sum_i (C_ii - 1)^2

    C is the covariance, over the batch, of z_mean (DIP-VAE-I, equation 6) or of z ~ q(z|x), which
    adds the mean posterior variances to the diagonal (DIP-VAE-II, equation 7). It is computed
    from the moments of the batch, divided by B, without sampling.

    Args:
        encoder, decoder: See `VAE`.
        off_diagonal_weight: Number, or schedule over the updates made so far: the paper's
            lambda_od.
        diagonal_weight: Number or schedule: the paper's lambda_d. The paper sets it to
            10 lambda_od for DIP-VAE-I, where it keeps z_mean from shrinking, and to lambda_od for
            DIP-VAE-II.
        covariance_of: `"mean"` for DIP-VAE-I, or `"z"` for DIP-VAE-II.
        **kwargs: `likelihood`, `kl_weight`, `condition`, `seed` and other arguments of `VAE`.

    Terms, in nats per example: those of `VAE`. Scalars for the whole batch, which `sample_weight`
    does not affect: `off_diagonal` and `diagonal`, the two sums, which have no unit until they are
    weighted. The logs contain `loss` and all of these. In validation `loss` is the plain bound.

    Raises:
        ValueError: If `covariance_of` is unknown, if a weight is negative, or if the prior is not
            `StandardNormal`, whose covariance is I.

    Example:

    ```python
    shape, latent_dim = (28, 28, 1), 10
    networks = MLPEncoder(shape, latent_dim), MLPDecoder(shape, latent_dim)
    model = DIPVAE(*networks, off_diagonal_weight=10.0, diagonal_weight=100.0)
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, batch_size=256, epochs=50, validation_data=x_test)
    ```

    Reference:
        - [Kumar et al., 2018](https://arxiv.org/abs/1711.00848)
    """

    compares_latents = True

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
        covariance = covariance_of_rows(self.flat(posterior.mean))  # (D, D)
        variance = ops.diagonal(covariance)
        if self.covariance_of == "z":
            variance = variance + ops.mean(ops.exp(self.flat(posterior.log_var)), axis=0)
        off_diagonal = covariance * (1.0 - ops.eye(covariance.shape[0]))
        return {
            **self.bound(x, posterior, z, c, training),
            "off_diagonal": ops.sum(ops.square(off_diagonal)),
            "diagonal": ops.sum(ops.square(variance - 1.0)),
        }


def covariance_of_rows(rows: Tensor) -> Tensor:
    """Returns the covariance (D, D) of the rows of a tensor (B, D), divided by B."""
    centred = rows - ops.mean(rows, axis=0)
    # Not a matrix product: JAX and TensorFlow round it to TF32 on a GPU.
    return ops.mean(centred[:, :, None] * centred[:, None, :], axis=0)
