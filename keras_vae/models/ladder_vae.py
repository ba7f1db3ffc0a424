"""The ladder variational autoencoder."""

from collections.abc import Callable

import keras
from keras import ops

from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import kl_divergence
from keras_vae.models.base.levels import Level
from keras_vae.models.hierarchical_vae import HierarchicalVAE
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class LadderVAE(HierarchicalVAE):
    """`HierarchicalVAE` that infers from the top down, in the order in which it generates:

        q(z|x) = q(z_L|x) q(z_{L-1}|z_L, x) ... q(z_1|z_2, x)

    The encoders run upwards without noise and return N(m_l, v_l), the information that x gives
    about z_l. On the way down it is combined with the information from the levels above,
    p(z_l|z_{l+1}) = N(mu_l, s_l), each weighted by its precision (equations 17 to 19):

        q(z_l|z_{l+1}, x) = N(mean, var),   1 / var = 1 / v_l + 1 / s_l,
                                            mean = var (m_l / v_l + mu_l / s_l)

    A level therefore has to encode only what the levels above do not say about x, which lets many
    levels learn together. Every kl_l is KL(q(z_l|z_{l+1}, x) || p(z_l|z_{l+1})), in closed form.

    Args:
        encoders: List of L `keras.Model`s. `encoders[0]` maps x (B, S), and `encoders[l]` maps the
            features of `encoders[l - 1]`, to `(z_mean, z_log_var, features)`, of which the first
            two belong to z_{l+1}: `MLPEncoder(..., num_outputs=3)`. The last one needs no features.
        decoders, likelihood, prior, kl_weight, seed: See `HierarchicalVAE`.

    Terms and logs: Those of `HierarchicalVAE`.

    Raises:
        ValueError: If the networks do not fit each other, or `encoders[0]` takes pictures of any
            size. Also raised by `fit` if the data lie outside the support of the likelihood.

    Example:

    ```python
    model = LadderVAE(
        encoders=[
            MLPEncoder((28, 28, 1), 64, hidden_units=(512,), num_outputs=3),
            MLPEncoder((512,), 32, hidden_units=(256,)),
        ],
        decoders=[MLPDecoder((28, 28, 1), 64), MLPEncoder((32,), 64)],
        kl_weight=LinearAnnealing(100_000),
    )
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, epochs=100, validation_data=x_test)
    ```

    Reference:
        - [Sonderby et al., 2016](https://arxiv.org/abs/1602.02282)
    """

    passed_up = 2  # the features

    def encode_top(self, x: Tensor) -> DiagonalGaussian:
        return DiagonalGaussian(*self.bottom_up(x)[-1])

    def bottom_up(self, x: Tensor, training: bool = False) -> list:
        parameters, features = [], [x]
        for encoder in self.encoders:
            mean, log_var, *features = self.output_of(encoder, features[0], training)
            parameters.append((mean, log_var))
        return parameters

    def levels_of(self, parameters: list, draw: Callable, training: bool = False) -> list[Level]:
        def choose(i, prior):
            posterior = DiagonalGaussian(*parameters[i])
            if i < self.num_levels - 1:
                posterior = precision_weighted(posterior, prior)
            return posterior, draw(posterior)

        return self.top_down(choose, training)

    def kl_of(self, levels: list) -> list[Tensor]:
        return [kl_divergence(q, p, sample=z) for q, p, z, _ in levels]


def precision_weighted(a: DiagonalGaussian, b: DiagonalGaussian) -> DiagonalGaussian:
    """Returns the normalised product of two diagonal Gaussians, which is again one.

    Its precision is the sum of theirs, and its mean their precision-weighted mean.
    """
    log_var = -ops.logaddexp(-a.log_var, -b.log_var)
    weight = ops.sigmoid(b.log_var - a.log_var)  # 1 / var_a over the sum of both
    return DiagonalGaussian(b.mean + weight * (a.mean - b.mean), log_var)
