"""beta-TCVAE: the KL term in three parts, each with a weight of its own."""

import keras
from keras import ops

from keras_vae.checks import check_choice
from keras_vae.checks import check_count
from keras_vae.distributions import DiagonalGaussian
from keras_vae.models.base.term import Term
from keras_vae.models.vae import VAE
from keras_vae.priors import StandardNormal
from keras_vae.schedules import Schedule
from keras_vae.schedules import check_weight


@keras.saving.register_keras_serializable(package="keras_vae")
class BetaTCVAE(VAE):
    """VAE that weighs the parts of its KL term, above all the total correlation:

        E KL(q(z|x) || p(z)) = I_q(x; z) + KL(q(z) || prod_j q(z_j)) + sum_j KL(q(z_j) || p(z_j))

    (equation 2). q(z) is the mixture of the posteriors of all N examples of the training data,
    estimated from the B examples of a batch (appendix C). What this class adds to the ELBO comes
    on top of `kl_weight`: the paper's weights (equation 4) are alpha = kl_weight +
    mutual_information_weight, beta = kl_weight + total_correlation_weight and gamma = kl_weight +
    dimension_wise_weight. With weights of 0 it trains as `VAE` does.

    The parts say something of the batch as a whole, since the density q(z) of each code depends on
    all the others. They are scalars, the means over the batch, and `sample_weight` does not weigh
    them.

    Args:
        encoder, decoder: as for `VAE`.
        num_examples: int, N: the size of the training data, at least that of a batch.
        total_correlation_weight: number, or schedule of the updates made: beta, less `kl_weight`.
        mutual_information_weight: the same of alpha.
        dimension_wise_weight: the same of gamma.
        estimator: "stratified", whose estimate of q(z) is unbiased, or "weighted", which divides
            the sum of q(z|x_n) over the batch by N B. The logarithm of the latter is too low, by
            log B to log N nats: the mutual information appears too high by as much, and the total
            correlation by (D - 1) log N where posteriors overlap. Its gradient is what counts.
        **kwargs: `likelihood`, `kl_weight`, `condition`, `seed` and others of `VAE`.

    Terms, nats per example: those of `VAE`; scalars of the batch, `mutual_information`,
    `total_correlation` and `dimension_wise_kl`, which add up to the mean of log q(z|x) - log p(z).
    All depend on the size of the batch, and are compared at the same size only. Logs: `loss` and
    these. Validation reports the plain bound as its `loss`.

    Raises:
        ValueError: `num_examples` is no positive integer, an unknown `estimator`, a negative
            weight, or a prior other than `StandardNormal`.

    Example:

    ```python
    shape, latent_dim = (28, 28, 1), 10
    networks = MLPEncoder(shape, latent_dim), MLPDecoder(shape, latent_dim)
    model = BetaTCVAE(*networks, num_examples=len(x_train), total_correlation_weight=5.0)
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, batch_size=256, epochs=50, validation_data=x_test)
    ```

    Reference: [Chen, Li, Grosse, Duvenaud 2018](https://arxiv.org/abs/1802.04942), "Isolating
    Sources of Disentanglement in Variational Autoencoders".
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        num_examples: int,
        total_correlation_weight: float | Schedule = 5.0,
        mutual_information_weight: float | Schedule = 0.0,
        dimension_wise_weight: float | Schedule = 0.0,
        estimator: str = "stratified",
        **kwargs,
    ):
        super().__init__(encoder, decoder, **kwargs)
        self.num_examples = check_count("num_examples", num_examples)
        self.estimator = check_choice("estimator", estimator, ("stratified", "weighted"))
        weights = {
            "total_correlation_weight": total_correlation_weight,
            "mutual_information_weight": mutual_information_weight,
            "dimension_wise_weight": dimension_wise_weight,
        }
        for name, weight in weights.items():
            setattr(self, name, check_weight(name, weight))
        if not isinstance(self.prior, StandardNormal):
            raise ValueError(
                f"`prior` of {type(self).__name__} must be StandardNormal: the parts are those of "
                f"a prior with independent dimensions. Received: {type(self.prior).__name__}."
            )

    def objective(self):
        return {
            **super().objective(),
            "mutual_information": Term(train=self.mutual_information_weight),
            "total_correlation": Term(train=self.total_correlation_weight),
            "dimension_wise_kl": Term(train=self.dimension_wise_weight),
        }

    def terms(self, x, c=None, training=False):
        posterior = self.infer(x, c, training)
        z = posterior.sample(self.noise.stream(training))
        log_q, log_marginals = self._log_aggregate(z, posterior)  # (B,) each
        return {
            **self.bound(x, posterior, z, c, training),
            "mutual_information": ops.mean(posterior.log_prob(z) - log_q),
            "total_correlation": ops.mean(log_q - log_marginals),
            "dimension_wise_kl": ops.mean(log_marginals - self.prior_given(c).log_prob(z)),
        }

    def _log_aggregate(self, z, posterior):
        """Returns estimates of log q(z) and of sum_j log q(z_j), (B,) nats, for z (B, D)."""
        of_each = DiagonalGaussian(posterior.mean, posterior.log_var, batch_ndims=2)
        log_q = of_each.log_prob(z[:, None])  # (B, B, D): of z_i under the posterior of x_n
        log_w = ops.log(mixture_weights(ops.shape(z)[0], self.num_examples, self.estimator))
        joint = ops.logsumexp(log_w + ops.sum(log_q, axis=-1), axis=1)
        return joint, ops.sum(ops.logsumexp(log_w[..., None] + log_q, axis=1), axis=-1)


def mixture_weights(batch_size: int, num_examples: int, estimator: str):
    """Returns the weights (B, B) with which q(z_i) is estimated by sum_n w_in q(z_i|x_n).

    "weighted" has 1 / NB for all. "stratified" has, with M = B - 1, 1 / N for the example that z_i
    was drawn from, (N - M) / NM for the next in the batch, and 1 / M for all others: 1 in sum.
    """
    if estimator == "weighted":
        return ops.full((batch_size, batch_size), 1.0 / num_examples) / batch_size
    index = ops.arange(batch_size)
    ahead = (index - index[:, None]) % batch_size  # 0 is the example itself, 1 the next one
    others = ops.maximum(ops.cast(batch_size - 1, "float32"), 1.0)  # M
    of_next = ops.maximum(num_examples - others, 0.0) / (num_examples * others)
    return ops.where(ahead == 0, 1 / num_examples, ops.where(ahead == 1, of_next, 1 / others))
