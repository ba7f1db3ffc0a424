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
from keras_vae.typing import Tensor

PARTS = ("mutual_information", "total_correlation", "dimension_wise_kl")


@keras.saving.register_keras_serializable(package="keras_vae")
class BetaTCVAE(VAE):
    """VAE that weights the parts of its KL term separately, the total correlation above all:

        E KL(q(z|x) || p(z)) = I_q(x; z) + KL(q(z) || prod_j q(z_j)) + sum_j KL(q(z_j) || p(z_j))

    (equation 2). q(z) is the mixture of the posteriors of all N training examples. It is estimated
    from the B examples of a batch (appendix C). The weights of this class are added to `kl_weight`,
    so the paper's weights (equation 4) are alpha = kl_weight + mutual_information_weight,
    beta = kl_weight + total_correlation_weight and gamma = kl_weight + dimension_wise_kl_weight.
    With all three at 0 the model trains like a `VAE`.

    The parts describe the batch as a whole, because the density q(z) of each code depends on all
    the others. They are scalars, averaged over the batch, and `sample_weight` does not affect them.

    Args:
        encoder, decoder: See `VAE`.
        num_examples: Integer, N, the size of the training data. At least the batch size.
        total_correlation_weight: Number, or schedule over the updates made so far: beta minus
            `kl_weight`.
        mutual_information_weight: Number or schedule: alpha minus `kl_weight`.
        dimension_wise_kl_weight: Number or schedule: gamma minus `kl_weight`.
        estimator: `"stratified"`, whose estimate of q(z) is unbiased, or `"weighted"`, which
            divides the sum of q(z|x_n) over the batch by N B. The logarithm of the latter is too
            low by log B to log N nats. The mutual information then appears too high by that
            amount, and the total correlation by (D - 1) log N where posteriors overlap; for
            training, only its gradient matters.
        **kwargs: `likelihood`, `kl_weight`, `condition`, `seed` and other arguments of `VAE`.

    Terms, in nats per example: those of `VAE`. Scalars for the whole batch: `mutual_information`,
    `total_correlation` and `dimension_wise_kl`, whose sum is the mean of log q(z|x) - log p(z).
    They depend on the batch size, so compare them at equal batch sizes only. The logs contain
    `loss` and all of these. In validation `loss` is the plain bound.

    Raises:
        ValueError: If `num_examples` is not a positive integer, if `estimator` is unknown, if a
            weight is negative, or if the prior is not `StandardNormal`.

    Example:

    ```python
    shape, latent_dim = (28, 28, 1), 10
    networks = MLPEncoder(shape, latent_dim), MLPDecoder(shape, latent_dim)
    model = BetaTCVAE(*networks, num_examples=len(x_train), total_correlation_weight=5.0)
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, batch_size=256, epochs=50, validation_data=x_test)
    ```

    Reference:
        - [Chen et al., 2018](https://arxiv.org/abs/1802.04942)
    """

    compares_latents = True

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        num_examples: int,
        total_correlation_weight: float | Schedule = 5.0,
        mutual_information_weight: float | Schedule = 0.0,
        dimension_wise_kl_weight: float | Schedule = 0.0,
        estimator: str = "stratified",
        **kwargs,
    ):
        super().__init__(encoder, decoder, **kwargs)
        self.num_examples = check_count("num_examples", num_examples)
        self.estimator = check_choice("estimator", estimator, ("stratified", "weighted"))
        weights = mutual_information_weight, total_correlation_weight, dimension_wise_kl_weight
        for part, weight in zip(PARTS, weights, strict=True):
            setattr(self, f"{part}_weight", check_weight(f"{part}_weight", weight))
        if not isinstance(self.prior, StandardNormal):
            raise ValueError(f"`prior` must be StandardNormal. Received: {self.prior!r}.")

    def objective(self) -> dict[str, Term]:
        parts = {part: Term(train=getattr(self, f"{part}_weight")) for part in PARTS}
        return {**super().objective(), **parts}

    def terms(self, x: Tensor, c: Tensor = None, training: bool = False) -> dict[str, Tensor]:
        posterior = self.infer(x, c, training)
        z = posterior.sample(self.noise.stream(training))
        # log q(z_i|x_n), each dimension separately: (B, B, D).
        mean, log_var, rows = map(self.flat, (posterior.mean, posterior.log_var, z))
        log_q = DiagonalGaussian(mean, log_var, 2).log_prob(rows[:, None])
        weights = mixture_weights(ops.shape(z)[0], self.num_examples, self.estimator)
        log_joint = log_mixture(ops.sum(log_q, axis=-1), weights)  # log q(z), (B,)
        log_marginals = ops.sum(log_mixture(log_q, weights[..., None]), axis=-1)
        return {
            **self.bound(x, posterior, z, c, training),
            "mutual_information": ops.mean(posterior.log_prob(z) - log_joint),
            "total_correlation": ops.mean(log_joint - log_marginals),
            "dimension_wise_kl": ops.mean(log_marginals - self.prior_given(c).log_prob(z)),
        }


def log_mixture(log_q: Tensor, weights: Tensor) -> Tensor:
    """Returns log sum_n w_in q_in, given log q (B, B, ...)."""
    # Not a logsumexp of log q + log w: compilers round the logarithm of a constant differently.
    largest = ops.stop_gradient(ops.max(log_q, axis=1, keepdims=True))
    return ops.log(ops.sum(weights * ops.exp(log_q - largest), axis=1)) + largest[:, 0]


def mixture_weights(batch_size: int, num_examples: int, estimator: str) -> Tensor:
    """Returns the weights (B, B) with which q(z_i) is estimated by sum_n w_in q(z_i|x_n).

    "weighted" gives every example 1 / NB; these sum to 1 / N. "stratified", with M = B - 1, gives
    1 / N to the example that z_i was drawn from, (N - M) / NM to the next one in the batch, and
    1 / M to all others; these sum to 1. An example alone in its batch stands for all N, with
    weight 1.
    """
    if estimator == "weighted":
        return ops.full((batch_size, batch_size), 1.0 / num_examples) / batch_size
    index = ops.arange(batch_size)
    ahead = (index - index[:, None]) % batch_size  # 0 is the example itself, 1 the next one
    others = ops.maximum(ops.cast(batch_size - 1, "float32"), 1.0)  # M
    of_next = ops.maximum(num_examples - others, 0.0) / (num_examples * others)
    of_itself = ops.where(ops.equal(batch_size, 1), 1.0, 1 / num_examples)
    return ops.where(ahead == 0, of_itself, ops.where(ahead == 1, of_next, 1 / others))
