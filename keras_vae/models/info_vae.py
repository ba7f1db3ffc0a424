"""InfoVAE: matches the codes of all data, rather than those of each example, to the prior."""

import keras
from keras import ops

from keras_vae.checks import check_choice
from keras_vae.models.base.term import Term
from keras_vae.models.vae import VAE
from keras_vae.schedules import Schedule
from keras_vae.schedules import check_weight
from keras_vae.typing import Array
from keras_vae.typing import Tensor

IMQ_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # the scales over which WAE sums its kernel
KERNELS = {  # functions of the squared distance and the scale C
    "rbf": lambda square, scale: ops.exp(-square / scale),
    "inverse_multiquadric": lambda square, scale: sum(
        s * scale / (s * scale + square) for s in IMQ_SCALES
    ),
}


@keras.saving.register_keras_serializable(package="keras_vae")
class InfoVAE(VAE):
    """VAE that matches the codes of all data to the prior; each may then say more about its x:

        E_q(z|x)[log p(x|z)] - kl_weight * KL(q(z|x) || p(z)) - mmd_weight * MMD(q(z), p(z))

    The paper's alpha is 1 - kl_weight, and its lambda is kl_weight + mmd_weight. q(z) is the
    distribution of the codes of all data. It is compared with the prior through B samples of each:

        MMD = E k(z, z') + E k(y, y') - 2 E k(z, y),   z, z' ~ q(z),  y, y' ~ p(z)

    The estimate is unbiased. It excludes pairs of a sample with itself, and may be negative: it is
    0 on average if q(z) = p(z).

    `kl_weight` is 1 by default, as in `VAE`, to which `mmd_weight=0` reduces this model. With
    `kl_weight=0` it is the MMD-VAE. If, in addition, `kernel="inverse_multiquadric"`, it is the
    Wasserstein autoencoder (WAE-MMD) of Tolstikhin et al. (2018) with a random encoder. The squared
    error of that paper is, up to a constant, 2 sigma^2 times the cost of
    `GaussianLikelihood(sigma)`, so `mmd_weight` is its lambda divided by 2 sigma^2.

    Args:
        encoder, decoder: See `VAE`.
        mmd_weight: Number, or schedule over the updates made so far, in nats. The MMD itself has no
            unit, and is at most 2 with `"rbf"` and 14 with the other kernel. The weighted MMD is
            added to the reconstruction cost of a whole example, about 100 nats for MNIST.
        kernel: `"rbf"`, exp(-|z - z'|^2 / C), or `"inverse_multiquadric"`, the sum of
            s C / (s C + |z - z'|^2) over s = 0.1, 0.2, 0.5, 1, 2, 5, 10. C = 2 D prior_std^2 is
            the mean of |z - z'|^2 under the prior. The second kernel has heavy tails, so it still
            pulls in codes that are far away.
        prior_std: Float, the standard deviation of each dimension of the prior, used for C.
        **kwargs: `likelihood`, `prior`, `kl_weight`, `condition`, `seed` and other arguments of
            `VAE`.

    Terms, in nats per example: those of `VAE`. `mmd` is a scalar for the whole batch, which
    `sample_weight` does not affect; it is 0 in a batch of one example. The logs contain `loss` and
    all of these. In validation `loss` is the plain bound, which is loose if `kl_weight` is 0.

    Raises:
        ValueError: If `kernel` is unknown, if a weight is negative, or if `prior_std` is not
            positive.

    Example:

    ```python
    shape, latent_dim = (28, 28, 1), 8
    networks = MLPEncoder(shape, latent_dim), MLPDecoder(shape, latent_dim)
    model = InfoVAE(*networks, mmd_weight=1000.0, kl_weight=0.0)  # MMD-VAE
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, batch_size=128, epochs=50, validation_data=x_test)
    ```

    Reference:
        - [Zhao et al., 2017](https://arxiv.org/abs/1706.02262)
        - [Tolstikhin et al., 2018](https://arxiv.org/abs/1711.01558), for the second kernel
    """

    compares_latents = True

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
        rows = self.flat(z)
        scale = 2 * rows.shape[-1] * self.prior_std**2
        mmd = unbiased_mmd(rows, self.flat(drawn), self.kernel, scale)
        return {**self.bound(x, posterior, z, c, training), "mmd": mmd}


def unbiased_mmd(z: Tensor, y: Array, kernel: str, scale: float) -> Tensor:
    """Returns the squared maximum mean discrepancy of draws z and y, (B, D) each: a scalar.

    The U-statistic of Gretton et al. 2012, equation 3, with B draws of each; 0 for B = 1.
    """
    size = ops.cast(ops.shape(z)[0], "float32")
    num_pairs = ops.maximum(size * (size - 1), 1.0)

    def kernels(a, b):
        return KERNELS[kernel](ops.sum(ops.square(a[:, None] - b), axis=-1), scale)  # (B, B)

    within = sum(ops.sum(k) - ops.trace(k) for k in (kernels(z, z), kernels(y, y)))
    mmd = within / num_pairs - 2 * ops.mean(kernels(z, y))
    return ops.where(size > 1, mmd, 0.0)
