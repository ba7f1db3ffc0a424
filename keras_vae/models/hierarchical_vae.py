"""The variational autoencoder with several stochastic layers."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import kl_divergence
from keras_vae.likelihoods import Likelihood
from keras_vae.models.base.generative_model import EncodingKind
from keras_vae.models.base.latent_variable_model import LatentVariableModel
from keras_vae.models.base.latent_variable_model import repeated
from keras_vae.models.base.levels import Level
from keras_vae.models.base.levels import check_networks
from keras_vae.models.base.levels import joined
from keras_vae.models.base.levels import latent_shapes
from keras_vae.models.base.levels import symbolic_state
from keras_vae.models.base.term import Term
from keras_vae.priors import Prior
from keras_vae.schedules import check_weight
from keras_vae.typing import Shape
from keras_vae.typing import Tensor
from keras_vae.typing import Weight


@keras.saving.register_keras_serializable(package="keras_vae")
class HierarchicalVAE(LatentVariableModel):
    """Variational autoencoder with L stochastic layers, from z_1 next to the data to z_L on top:

        p(x, z) = p(x|z_1) p(z_1|z_2) ... p(z_{L-1}|z_L) p(z_L)      (equation 1)
        q(z|x)  = q(z_1|x) q(z_2|z_1) ... q(z_L|z_{L-1})             (equation 2)

    All factors except p(x|z_1) and p(z_L) are diagonal Gaussians. With L = 1 this is the `VAE`. The
    ELBO is

        E_q[log p(x|z_1)] - sum_l kl_l,   kl_l = E_q[log q(z_l|z_{l-1}) - log p(z_l|z_{l+1})]

    Only the KL of the top layer has a closed form. In the layers below, z_{l+1} depends on z_l, so
    the KL between the two Gaussians given z_{l+1} would be a different quantity; kl_l is estimated
    from one sample. `LadderVAE` infers from the top down instead.

    A decoder may return features in addition to mean and log-variance. The next decoder then
    receives `[z_l, features]`, joined along the last axis. Information can then bypass z_l, and the
    model is p(x|z_1, ..., z_L) p(z_1|z_2, ..., z_L) ... p(z_L).

    Args:
        encoders: List of L `keras.Model`s. `encoders[0]` maps x (B, S) to the mean and log-variance
            of z_1, and `encoders[l]` maps z_l to those of z_{l+1}: vectors, or maps (B, h, w, c).
        decoders: List of L `keras.Model`s. `decoders[0]` maps z_1 to the parameters of the
            likelihood, and `decoders[l]` maps z_{l+1} to the mean and log-variance (and optionally
            features) of z_l, for which an `MLPEncoder` can be used.
        likelihood: See `VAE`.
        prior: `Prior` of z_L. By default `StandardNormal()`.
        kl_weight: Number or schedule, the weight of every kl_l in training. According to the paper
            of `LadderVAE`, the upper layers are used only if it is warmed up from 0.
        seed: Integer in [0, 2**31), or `None`. Determines all noise and the order of the batches.

    Terms, in nats per example: `reconstruction` = -log p(x|z_1), and `kl_1` to `kl_L`. The logs
    contain `loss`, these terms, their sum `kl`, and `elbo`, where higher is better.

    Raises:
        ValueError: If the networks do not fit each other, or `encoders[0]` takes pictures of any
            size. Also raised by `fit` if the data lie outside the support of the likelihood.

    Example:

    ```python
    model = HierarchicalVAE(
        encoders=[MLPEncoder((28, 28, 1), 100), MLPEncoder((100,), 50)],
        decoders=[MLPDecoder((28, 28, 1), 100), MLPEncoder((50,), 100)],
        kl_weight=LinearAnnealing(10_000),
    )
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, epochs=100, validation_data=x_test)
    nats = model.log_likelihood(x_test, num_samples=1000)
    ```

    Reference:
        - [Burda et al., 2016](https://arxiv.org/abs/1509.00519), section 2
    """

    encode_gives: EncodingKind | None = "posteriors"
    passed_up = 0  # index of the encoder output whose shape is the next encoder's input: z_mean

    def __init__(
        self,
        encoders: list[keras.Model],
        decoders: list[keras.Model],
        likelihood: Likelihood | None = None,
        prior: Prior | None = None,
        kl_weight: Weight = 1.0,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        self.num_levels = check_networks(encoders, decoders)
        parts = encoders[0], decoders[0], likelihood, prior
        super().__init__(*parts, seed=seed, name=name, dtype=dtype)
        self.encoders, self.decoders = list(encoders), list(decoders)
        self.kl_weight = check_weight("kl_weight", kl_weight)

    def objective(self) -> dict[str, Term]:
        kl = Term(train=self.kl_weight, evaluate=1.0)
        return {
            "reconstruction": Term(evaluate=1.0),
            **dict.fromkeys(self._kl_names(), kl),
            "kl": Term(train=0.0),
            "elbo": Term(train=0.0, direction="max"),
        }

    def terms(self, x: Tensor, c: Tensor = None, training: bool = False) -> dict[str, Tensor]:
        levels = self.levels_of(self.bottom_up(x, training), self._draws(training), training)
        reconstruction = -self.generate(levels[0].state, c, training).log_prob(x)
        kl_of_levels = self.kl_of(levels)
        kl = sum(kl_of_levels)
        return {
            "reconstruction": reconstruction,
            **dict(zip(self._kl_names(), kl_of_levels, strict=True)),
            "kl": kl,
            "elbo": -(reconstruction + kl),
        }

    def infer(self, x: Tensor, c: Tensor = None, training: bool = False) -> Any:
        """Returns the posteriors [q(z_1|x), q(z_2|z_1), ...] of x (B, S), a list of distributions.

        Each is given the posterior mean of the z that it depends on, so no noise is involved.
        """
        levels = self.levels_of(self.bottom_up(x, training), _mean, training)
        return [level.posterior for level in levels]

    def encode_top(self, x: Tensor) -> DiagonalGaussian:
        """Returns the posterior of z_L, as `encode` does, for priors made of posteriors."""
        return self._ascend(self.bottom_up(x), _mean)[-1][0]

    def bottom_up(self, x: Tensor, training: bool = False) -> list:
        """Returns `[(z_mean, z_log_var), ...]`: all parameters that depend on x without noise."""
        return [self.encoder_outputs(x, training=training)[:2]]

    def levels_of(self, parameters: list, draw: Callable, training: bool = False) -> list[Level]:
        """Returns the list of the L `Level`s of x.

        Args:
            parameters: What `bottom_up(x)` returns.
            draw: Function that takes a posterior and returns z.
            training: Bool.
        """
        ascended = self._ascend(parameters, draw, training)
        return self.top_down(lambda i, prior: ascended[i], training)

    def top_down(self, choose: Callable, training: bool = False) -> list[Level]:
        """Walks p(z_L), p(z_{L-1}|z_L), ..., p(z_1|z_2) and returns the list of the L `Level`s.

        Args:
            choose: Function that takes i and the prior of z_{i+1}, and returns its posterior and z.
            training: Bool.
        """
        prior = self.prior_given()
        features: list[Tensor] = []
        levels: list[Level] = []
        for i in reversed(range(self.num_levels)):
            posterior, z = choose(i, prior)
            state = joined(z, features)
            levels.insert(0, Level(posterior, prior, z, state))
            if i:
                mean, log_var, *features = self.output_of(self.decoders[i], state, training)
                prior = DiagonalGaussian(mean, log_var)
        return levels

    def kl_of(self, levels: list) -> list[Tensor]:
        """Returns the list of kl_1, ..., kl_L, each (B,) nats."""
        *below, top = levels
        sampled = [q.log_prob(z) - p.log_prob(z) for q, p, z, _ in below]
        return [*sampled, kl_divergence(top.posterior, top.prior, sample=top.z)]

    def latent_mean(self, x: Tensor, c: Tensor = None, training: bool = False) -> Tensor:
        """Returns the decoder's input for x, with each z the mean of its posterior."""
        if isinstance(x, keras.KerasTensor):  # while building there are only shapes
            self.latent_shapes = latent_shapes(self.encoders, x, self.passed_up)
            return symbolic_state(self.decoders, self.latent_shapes)
        return self.levels_of(self.bottom_up(x, training), _mean, training)[0].state

    def log_importance_weights(self, x: Tensor, num_samples: int, c: Tensor = None) -> Tensor:
        """Returns log w = log p(x, z) - log q(z|x), (K, B) nats, for z = z_1 ... z_L ~ q(z|x)."""
        folded = keras.tree.map_structure(lambda t: repeated(t, num_samples), self.bottom_up(x))
        levels = self.levels_of(folded, self._draws(training=False))  # K B examples each
        log_ratio = sum(p.log_prob(z) - q.log_prob(z) for q, p, z, _ in levels)
        state = levels[0].state
        log_p_x = self.log_p_x(x, ops.reshape(state, (num_samples, -1, *state.shape[1:])))
        return log_p_x + ops.reshape(log_ratio, (num_samples, -1))

    def log_prior_weights(self, x: Tensor, num_samples: int, c: Tensor = None) -> Tensor:
        state = self._drawn_from_prior(num_samples)  # one draw serves all examples
        return self.log_p_x(x, ops.repeat(state[:, None], ops.shape(x)[0], axis=1))

    def build_parts(self) -> None:
        if self.is_of_any_size:
            raise ValueError(
                f"{type(self).__name__} has latents of one shape on each level, so its pictures "
                "must have one size. Expected: `encoders[0]` with a fixed `input_shape`, such as "
                f"(64, 64, 3). Received: {self.data_shape}. For pictures of any size use VAE or "
                "VQVAE2."
            )
        super().build_parts()

    def build_latent(self, latent_shape: Shape) -> None:
        self.prior.attach(self.encode_top, self.data_shape)
        if not self.prior.built:  # a prior loaded from a file is
            self.prior.build(self.latent_shapes[-1])

    def _draw(self, from_likelihood, condition=None):
        state = self._drawn_from_prior(self.sample_batch_size)
        return self.shown(self.generate(state), from_likelihood)

    def _drawn_from_prior(self, num_samples):
        """Returns the input of the decoder for samples of p(z_L), p(z_{L-1}|z_L), ..."""

        def choose(i, prior):
            return prior, self.draw_latents(prior, num_samples)

        return self.top_down(choose)[0].state

    def _kl_names(self):
        return [f"kl_{i}" for i in range(1, self.num_levels + 1)]

    def _draws(self, training):
        stream = self.noise.stream(training)
        return lambda posterior: posterior.sample(stream)

    def _ascend(self, parameters, draw, training=False):
        """Returns the list of (q(z_l|z_{l-1}), z_l) from q(z_1|x) on."""
        posterior = DiagonalGaussian(*parameters[0])
        ascended = [(posterior, draw(posterior))]
        for encoder in self.encoders[1:]:
            parameters = self.output_of(encoder, ascended[-1][1], training)
            posterior = DiagonalGaussian(*parameters[:2])
            ascended.append((posterior, draw(posterior)))
        return ascended


def _mean(posterior):
    return posterior.mean
