"""FactorVAE: a discriminator measures how dependent the latent dimensions are."""

import keras
from keras import ops

from keras_vae.models.aae import check_discriminator
from keras_vae.models.base.term import Term
from keras_vae.models.vae import VAE
from keras_vae.schedules import Schedule
from keras_vae.schedules import check_weight
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class FactorVAE(VAE):
    """VAE whose latent dimensions are made independent of each other:

        ELBO - total_correlation_weight * KL(q(z) || prod_j q(z_j))      (equation 2)

    q(z) is the distribution of the codes of all data. A discriminator D learns to distinguish codes
    from permuted codes, in which each dimension was shuffled over the batch independently of the
    others. Its output gives the density ratio of the two distributions (equation 3):

        encoder, decoder:  -ELBO + total_correlation_weight * log D(z) / (1 - D(z))
        discriminator:     -1/2 log D(z) - 1/2 log(1 - D(z'))

    Each step updates both groups of weights, each on its own loss, computed with the weights before
    the step. Two details differ from the paper. The paper permutes the codes of a second batch;
    here, as is common, those of the same batch are permuted, so that every example is encoded once.
    The paper's D has two logits, whose difference is the log ratio; here D has a single logit, the
    log ratio itself. Permuted codes mix all examples of a batch, whatever their `sample_weight`.

    Args:
        encoder, decoder: See `VAE`.
        discriminator: `keras.Model` from z (B, D) to one logit (B, 1), without an activation.
        total_correlation_weight: Number, or schedule over the updates made so far: the paper's
            gamma, to be tuned to the data. With 0, encoder and decoder train like a `VAE`.
        **kwargs: `likelihood`, `prior`, `kl_weight`, `condition`, `seed` and other arguments of
            `VAE`.

    Terms, in nats per example: those of `VAE`; `total_correlation`, the logit of D, whose mean
    estimates the total correlation and lags behind it while D learns; and `discriminator`, the
    cross-entropy of D. If D cannot distinguish the two kinds of codes, these are 0 and log 2. The
    logs contain all of these and `loss`, the sum over both groups. In validation `loss` is the
    plain bound.

    Raises:
        ValueError: If the parts do not fit each other, or if a weight is negative.

    Example:

    ```python
    shape, latent_dim = (28, 28, 1), 10
    model = FactorVAE(
        MLPEncoder(shape, latent_dim),
        MLPDecoder(shape, latent_dim),
        MLPEncoder((latent_dim,), 1, (256, 256), num_outputs=1, name="discriminator"),
        total_correlation_weight=10.0,
    )
    adam, adam_of_game = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-4, beta_1=0.5)
    model.compile({"main": adam, "discriminator": adam_of_game})  # or one optimizer for both
    model.fit(x_train, batch_size=64, epochs=50, validation_data=x_test)
    ```

    Reference:
        - [Kim and Mnih, 2018](https://arxiv.org/abs/1802.05983)
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model,
        total_correlation_weight: float | Schedule = 10.0,
        **kwargs,
    ):
        super().__init__(encoder, decoder, **kwargs)
        self.discriminator = discriminator
        self.total_correlation_weight = check_weight(
            "total_correlation_weight", total_correlation_weight
        )

    def objective(self) -> dict[str, Term]:
        return {
            **super().objective(),
            "total_correlation": Term(train=self.total_correlation_weight),
            "discriminator": Term(group="discriminator"),
        }

    def terms(self, x: Tensor, c: Tensor = None, training: bool = False) -> dict[str, Tensor]:
        posterior, stream = self.infer(x, c, training), self.noise.stream(training)
        z = posterior.sample(stream)
        of_codes = self._logits(z, training)  # (B,)
        of_permuted = self._logits(permuted(z, stream), training)
        return {
            **self.bound(x, posterior, z, c, training),
            "total_correlation": of_codes,
            "discriminator": (ops.softplus(-of_codes) + ops.softplus(of_permuted)) / 2,
        }

    def build_latent(self, latent_shape: Shape) -> None:
        super().build_latent(latent_shape)
        check_discriminator(self.discriminator, latent_shape)

    def _logits(self, z, training):
        """Returns log D(z) / (1 - D(z)), (B,), the logit that z is a code rather than permuted."""
        return ops.cast(self.output_of(self.discriminator, z, training)[:, 0], "float32")


def permuted(z: Tensor, seed: int | keras.random.SeedGenerator | None = None) -> Tensor:
    """Returns z (B, D) with each dimension permuted over the batch, independently of the others.

    Its rows are draws of prod_j q(z_j) where those of z are draws of q(z) (algorithm 1).
    """
    order = ops.argsort(keras.random.uniform(ops.shape(z), dtype="float32", seed=seed), axis=0)
    return ops.take_along_axis(z, order, axis=0)
