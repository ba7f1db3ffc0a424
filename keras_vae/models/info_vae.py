"""InfoVAE: the codes of all data, in place of those of each example, are drawn to the prior."""

import keras
from keras import ops

from keras_vae.checks import check_choice
from keras_vae.models.base.term import Term
from keras_vae.models.vae import VAE
from keras_vae.schedules import Schedule
from keras_vae.schedules import check_weight
from keras_vae.typing import Array
from keras_vae.typing import Tensor

IMQ_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # over which WAE sums its kernel
KERNELS = {  # of the squared distance and the scale C
    "rbf": lambda square, scale: ops.exp(-square / scale),
    "inverse_multiquadric": lambda square, scale: sum(
        s * scale / (s * scale + square) for s in IMQ_SCALES
    ),
}


@keras.saving.register_keras_serializable(package="keras_vae")
class InfoVAE(VAE):
    """VAE whose codes, taken together, follow the prior, so that each may tell more of its x:

        E_q(z|x)[log p(x|z)] - kl_weight * KL(q(z|x) || p(z)) - mmd_weight * MMD(q(z), p(z))

    The paper's alpha is 1 - kl_weight, its lambda kl_weight + mmd_weight. q(z) is the
    distribution of the codes of all data, compared with the prior by draws of both, B of each:

        MMD = E k(z, z') + E k(y, y') - 2 E k(z, y),   z, z' ~ q(z),  y, y' ~ p(z)

    The estimate is the unbiased one, which leaves pairs of a draw with itself out and may be
    negative: 0 on average where q(z) = p(z).

    By default `kl_weight` is 1, as in `VAE`, which `mmd_weight=0` gives. With `kl_weight=0` it is
    the MMD-VAE, and with `kernel="inverse_multiquadric"` besides the Wasserstein autoencoder
    (WAE-MMD) of Tolstikhin et al. 2018, with a random encoder. The squared error of that paper is
    the cost of `GaussianLikelihood(sigma)` times 2 sigma^2, but for a constant: `mmd_weight` is its
    lambda divided by 2 sigma^2.

    Args:
        encoder, decoder: as for `VAE`.
        mmd_weight: number, or schedule of the updates made. The MMD has no unit, and is at most 2
            with "rbf" and 14 with the other kernel; this is what it costs in nats, and stands
            against the reconstruction of a whole example, about 100 for MNIST.
        kernel: "rbf", exp(-|z - z'|^2 / C), or "inverse_multiquadric", the sum of
            s C / (s C + |z - z'|^2) over s = 0.1, 0.2, 0.5, 1, 2, 5, 10. C = 2 D prior_std^2 is
            the mean of |z - z'|^2 under the prior. The second kernel has heavy tails, which still
            draw in codes far away.
        prior_std: float, the standard deviation of a dimension of the prior, for C.
        **kwargs: `likelihood`, `prior`, `kl_weight`, `condition`, `seed` and others of `VAE`.

    Terms, nats per example: those of `VAE`; `mmd`, a scalar of the batch, which `sample_weight`
    does not weigh, and 0 in a batch of one example. Logs: `loss` and these. Validation reports the
    plain bound as its `loss`, a loose one where `kl_weight` is 0.

    Raises:
        ValueError: If `kernel` is unknown, a weight negative, or `prior_std` not positive.

    Example:

    ```python
    shape, latent_dim = (28, 28, 1), 8
    networks = MLPEncoder(shape, latent_dim), MLPDecoder(shape, latent_dim)
    model = InfoVAE(*networks, mmd_weight=1000.0, kl_weight=0.0)  # MMD-VAE
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, batch_size=128, epochs=50, validation_data=x_test)
    ```

    Reference: [Zhao, Song, Ermon 2017](https://arxiv.org/abs/1706.02262), "InfoVAE: Information
    Maximizing Variational Autoencoders"; for the second kernel,
    [Tolstikhin, Bousquet, Gelly, Schölkopf 2018](https://arxiv.org/abs/1711.01558), "Wasserstein
    Auto-Encoders".
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        mmd_weight: float | Schedule = 1000.0,
        kernel: str = "rbf",
        prior_std: float = 1.0,
        **kwargs,
    ):
        super().__init__(encoder, decoder, **kwargs)
        self.mmd_weight = check_weight("mmd_weight", mmd_weight)
        self.kernel = check_choice("kernel", kernel, tuple(KERNELS))
        if not prior_std > 0:
            raise ValueError(f"`prior_std` must be greater than 0. Received: {prior_std!r}.")
        self.prior_std = prior_std

    def objective(self) -> dict[str, Term]:
        return {**super().objective(), "mmd": Term(train=self.mmd_weight)}

    def terms(self, x: Tensor, c: Tensor = None, training: bool = False) -> dict[str, Tensor]:
        posterior, prior = self.infer(x, c, training), self.prior_given(c)
        stream = self.noise.stream(training)
        z = posterior.sample(stream)
        drawn = prior.sample(stream, None if prior.batch_ndims else ops.shape(z)[0])
        mmd = unbiased_mmd(z, drawn, self.kernel, 2 * z.shape[-1] * self.prior_std**2)
        return {**self.bound(x, posterior, z, c, training), "mmd": mmd}


def unbiased_mmd(z: Tensor, y: Array, kernel: str, scale: float) -> Tensor:
    """Returns the squared maximum mean discrepancy of draws z and y, (B, D) each: a scalar.

    The U-statistic of Gretton et al. 2012, equation 3, with B of each; 0 for B = 1.
    """
    size = ops.cast(ops.shape(z)[0], "float32")
    num_pairs = ops.maximum(size * (size - 1), 1.0)

    def kernels(a, b):
        return KERNELS[kernel](ops.sum(ops.square(a[:, None] - b), axis=-1), scale)  # (B, B)

    within = sum(ops.sum(k) - ops.trace(k) for k in (kernels(z, z), kernels(y, y)))
    mmd = within / num_pairs - 2 * ops.mean(kernels(z, y))
    return ops.where(size > 1, mmd, 0.0)
